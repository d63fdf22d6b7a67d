import { BodyNotKeptError } from "../errors.ts";
import type { HttpRequest } from "../request.ts";
import type { FetchPlace, FetchVisit } from "./fetch-visit.ts";

/** A request of the Fetch standard as one guard or handler sees it. */
export class FetchRequest implements HttpRequest {
  readonly #visit: FetchVisit;
  readonly #place: FetchPlace;
  readonly #keepsBody: boolean;

  constructor(visit: FetchVisit, place: FetchPlace, keepsBody: boolean) {
    this.#visit = visit;
    this.#place = place;
    this.#keepsBody = keepsBody;
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
    return this.#place.route?.();
  }

  get address(): string | undefined {
    return this.#visit.settings.address({ socketAddress: socketAddressOf(this.#place), header: this.header });
  }

  get principal(): string | undefined {
    return this.#place.principal;
  }

  get signal(): AbortSignal {
    return this.#visit.raw.signal;
  }

  // Guards may pass on these two without their request.
  get header(): (name: string) => string | undefined {
    return (name) => this.#visit.header(name);
  }

  get body(): () => Promise<Uint8Array> {
    return async () => {
      if (!this.#keepsBody) throw new BodyNotKeptError();
      return this.#visit.body();
    };
  }
}

function socketAddressOf(place: FetchPlace): string | undefined {
  try {
    return place.socketAddress?.();
  } catch {
    // Frameworks ask their runtime, which is not there when an application is called directly, as in its tests.
    return undefined;
  }
}
