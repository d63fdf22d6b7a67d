import { BodyNotKeptError } from "../errors.ts";
import type { HttpRequest } from "../request.ts";
import { readBody } from "./request-body.ts";
import type { Visit, RequestPlace } from "./visit.ts";

/** A request to a server of Node as one guard or handler sees it. */
export class VisitRequest implements HttpRequest {
  readonly #visit: Visit;
  readonly principal: string | undefined;
  readonly route: string | undefined;
  // Without a `this`, so that guards may pass them on.
  readonly header: (name: string) => string | undefined;
  readonly body: () => Promise<Uint8Array>;

  constructor(visit: Visit, { principal, route }: RequestPlace, keepsBody: boolean) {
    this.#visit = visit;
    this.principal = principal;
    this.route = route;
    this.header = (name) => visit.header(name);
    this.body = async () => {
      if (!keepsBody) throw new BodyNotKeptError();
      return readBody(visit.request, visit.settings.maxBodyBytes);
    };
  }

  get id(): string {
    return this.#visit.id;
  }

  get method(): string {
    return this.#visit.request.method ?? "GET";
  }

  get url(): string {
    const { originalUrl, url } = this.#visit.request;
    const target = originalUrl ?? url ?? "/";
    // The absolute form, which proxies send (RFC 9112, 3.2.2).
    return target.startsWith("/") ? target : target.replace(/^[a-z][a-z\d+.-]*:\/\/[^/?#]*/i, "") || "/";
  }

  get path(): string {
    const { url } = this;
    const query = url.indexOf("?");
    return query < 0 ? url : url.slice(0, query);
  }

  get address(): string | undefined {
    return this.#visit.address;
  }

  get signal(): AbortSignal {
    return this.#visit.signal;
  }
}
