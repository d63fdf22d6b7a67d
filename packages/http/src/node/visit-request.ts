import { BodyNotKeptError } from "../errors.ts";
import type { HttpRequest } from "../request.ts";
import { readBody } from "./request-body.ts";
import type { Visit, VisitPlace } from "./visit.ts";

/** A request to a server of Node as one guard or handler sees it. */
export class VisitRequest implements HttpRequest {
  readonly #visit: Visit;
  readonly #place: VisitPlace;
  readonly #keepsBody: boolean;

  constructor(visit: Visit, place: VisitPlace, keepsBody: boolean) {
    this.#visit = visit;
    this.#place = place;
    this.#keepsBody = keepsBody;
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

  get route(): string | undefined {
    return this.#place.route?.();
  }

  get address(): string | undefined {
    return this.#visit.address;
  }

  get principal(): string | undefined {
    return this.#place.principal;
  }

  get signal(): AbortSignal {
    return this.#visit.signal;
  }

  // Guards may pass on these two without their request.
  get header(): (name: string) => string | undefined {
    return (name) => this.#visit.header(name);
  }

  get body(): () => Promise<Uint8Array> {
    return async () => {
      if (!this.#keepsBody) throw new BodyNotKeptError();
      return readBody(this.#visit.request, this.#visit.settings.maxBodyBytes);
    };
  }
}
