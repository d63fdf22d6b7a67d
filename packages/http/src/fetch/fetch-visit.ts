import type { AdapterSettings } from "../adapter-settings.ts";
import { failureReply } from "../error/failure-reply.ts";
import { Exchange } from "../exchange.ts";
import type { GuardContext, HttpGuard } from "../guard.ts";
import { passReply } from "../pass-reply.ts";
import type { HeaderPatch, HttpReply } from "../reply.ts";
import { requestId } from "../request-id.ts";
import type { HttpRequest } from "../request.ts";
import { FetchRequest } from "./fetch-request.ts";
import { readBody } from "./request-body.ts";
import { headOf, toResponse, withDefaults } from "./response.ts";

/** Where a framework keeps the request. It is replaced when its body has been read for a guard. */
export interface FetchSource {
  raw: Request;
}

/** What a request looks like from where a guard or a handler stands. */
export interface FetchPlace {
  /** See {@link HttpRequest.principal}. */
  readonly principal?: string | undefined;
  /** See {@link HttpRequest.route}. */
  route(): string | undefined;
  /** The other end of the connection. Undefined when the runtime does not know. */
  socketAddress(): string | undefined;
}

/** What became of a handler. */
export interface Handled {
  readonly response: Response;
  /** What it threw, where the framework has made a response of it. */
  readonly error?: unknown;
}

/** Where a guard stands, and what it guards. */
export interface GuardedPlace extends FetchPlace {
  /** Runs what comes after the guard. */
  next(context: Readonly<Partial<GuardContext>>): Promise<Handled>;
}

const visits = new WeakMap<object, FetchVisit>();

/** One request to a handler of the Fetch standard, as its guards and handlers share it. */
export class FetchVisit {
  readonly id: string;
  readonly settings: AdapterSettings;
  readonly #source: FetchSource;
  #context: Readonly<Partial<GuardContext>> = {};
  #body: Promise<Uint8Array> | undefined;

  /** The visit of this request. The first call makes it. */
  static of(source: FetchSource, settings: AdapterSettings): FetchVisit {
    const known = visits.get(source);
    if (known) return known;
    const visit = new FetchVisit(source, settings);
    visits.set(source, visit);
    return visit;
  }

  private constructor(source: FetchSource, settings: AdapterSettings) {
    this.#source = source;
    this.settings = settings;
    this.id = requestId({ header: (name) => source.raw.headers.get(name) ?? undefined }, settings.random);
  }

  /** The request as it stands, with its body where nothing has read it. */
  get raw(): Request {
    return this.#source.raw;
  }

  /** See {@link HttpRequest.body}. */
  body(): Promise<Uint8Array> {
    return (this.#body ??= readBody(this.#source, this.settings.maxBodyBytes));
  }

  /** The request as a handler sees it that no framework owns. */
  requestAt(place: FetchPlace, keepsBody = true): HttpRequest {
    return new FetchRequest(this, place, keepsBody);
  }

  /** The reply that tells the client of an error. */
  failureResponse(error: unknown, place: FetchPlace): Response {
    return this.respond(failureReply(this.settings, error, this.requestAt(place)));
  }

  /** A whole reply, with the id of the request. */
  respond(reply: HttpReply): Response {
    return withDefaults(toResponse(reply), { "x-request-id": this.id });
  }

  /** Lets the request through a guard, or answers in the handler's place. */
  async pass(guard: HttpGuard, place: GuardedPlace): Promise<Response> {
    const exchange = new Exchange(guard, this.requestAt(place, guard.needs.requestBody), this.settings);
    const begun = exchange.begin();
    if (begun instanceof Promise || exchange.isOpen) this.#watch(exchange);
    const decision = begun instanceof Promise ? await begun : begun;
    // Nobody is there to read it.
    if (!decision) return new Response(null, { status: 499 });
    if ("reply" in decision) return this.respond(decision.reply);
    this.#context = { ...this.#context, ...decision.context };
    const defaults = { "x-request-id": this.id, ...decision.headers };
    const response = await this.#run(exchange, place, defaults);
    return exchange.isOpen ? this.#settle(exchange, place, response) : response;
  }

  async #run(exchange: Exchange, place: GuardedPlace, defaults: HeaderPatch): Promise<Response> {
    try {
      const handled = await place.next(this.#context);
      if (handled.error !== undefined) exchange.fail(handled.error);
      return withDefaults(handled.response, defaults);
    } catch (error) {
      exchange.fail(error);
      return this.failureResponse(error, place);
    }
  }

  async #settle(exchange: Exchange, place: GuardedPlace, response: Response): Promise<Response> {
    try {
      return await this.#release(exchange, response);
    } catch (error) {
      const response = this.failureResponse(error, place);
      // The source of a body has failed while that was held: the guards are still to hear of the error.
      return exchange.isOpen ? this.#release(exchange, response) : response;
    }
  }

  async #release(exchange: Exchange, response: Response): Promise<Response> {
    const isHead = this.raw.method === "HEAD";
    // A runtime drops the body of a reply to HEAD without reading it.
    if (isHead) void response.body?.cancel();
    const passed = await passReply(exchange, headOf(response), isHead ? undefined : (response.body ?? undefined));
    if (!passed) return response;
    return toResponse({ ...passed.head, body: passed.body });
  }

  #watch(exchange: Exchange): void {
    const { signal } = this.raw;
    if (signal.aborted) exchange.gone();
    else signal.addEventListener("abort", () => exchange.gone(), { once: true });
  }
}
