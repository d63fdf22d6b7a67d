import { BodyNotKeptError } from "../errors.ts";
import type { HttpRequest } from "../request.ts";
import type { FetchPlace, FetchVisit } from "./fetch-visit.ts";

/** A request of the Fetch standard as one guard or handler sees it. */
export class FetchRequest implements HttpRequest {
  readonly #visit: FetchVisit;
  readonly #place: FetchPlace;
  // Without a `this`, so that guards may pass them on.
  readonly header: (name: string) => string | undefined;
  readonly body: () => Promise<Uint8Array>;

  constructor(visit: FetchVisit, place: FetchPlace, keepsBody: boolean) {
    this.#visit = visit;
    this.#place = place;
    this.header = (name) => visit.raw.headers.get(name) ?? undefined;
    this.body = async () => {
      if (!keepsBody) throw new BodyNotKeptError();
      return visit.body();
    };
  }

  get id(): string {
    return this.#visit.id;
  }

  get method(): string {
    return this.#visit.raw.method;
  }

  get url(): string {
    const { url } = this.#visit.raw;
    return url.slice(url.indexOf("/", url.indexOf("//") + 2));
  }

  get path(): string {
    const { url } = this;
    const query = url.indexOf("?");
    return query < 0 ? url : url.slice(0, query);
  }

  get route(): string | undefined {
    return this.#place.route();
  }

  get address(): string | undefined {
    return this.#visit.settings.address({ socketAddress: this.#place.socketAddress(), header: this.header });
  }

  get principal(): string | undefined {
    return this.#place.principal;
  }

  get signal(): AbortSignal {
    return this.#visit.raw.signal;
  }
}
