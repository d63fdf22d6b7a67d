import type { AdapterSettings } from "../adapter-settings.ts";
import { failureReply } from "../error/failure-reply.ts";
import { Exchange } from "../exchange.ts";
import type { GuardContext, HttpGuard } from "../guard.ts";
import { EarlyHeaders } from "../outgoing/early-headers.ts";
import { follow, hasLeft } from "../outgoing/follow.ts";
import { rawHeaderOf, type NodeResponse } from "../outgoing/messages.ts";
import { passReply } from "../pass-reply.ts";
import type { Decision } from "../release.ts";
import type { HeaderPatch, HttpReply } from "../reply.ts";
import { requestId } from "../request-id.ts";
import type { HttpRequest } from "../request.ts";
import { FetchRequest } from "./fetch-request.ts";
import { readBody } from "./request-body.ts";
import { headOf, toResponse, withDefaults } from "./response.ts";

/** Where a framework keeps a request. `raw` is replaced when its body has been read for a guard. */
export interface FetchSource {
  readonly req: { raw: Request };
}

/**
 * The messages of Node's server underneath, where there is one. They have headers, and tell how a reply ends, at a
 * fraction of what that costs with a `Request` and a `Response`.
 */
export interface FetchMessages {
  readonly incoming?: { readonly rawHeaders: readonly string[] } | undefined;
  readonly outgoing?: NodeResponse | undefined;
}

/** What a request looks like from where a guard or a handler stands. */
export interface FetchPlace {
  /** See {@link HttpRequest.principal}. */
  readonly principal?: string | undefined;
  /** See {@link HttpRequest.route}. */
  route?(): string | undefined;
  /** The other end of the connection. Undefined when the runtime does not know. */
  socketAddress?(): string | undefined;
}

/** What became of a handler. */
export interface Handled {
  readonly res: Response;
  /** What it threw, where the framework has made a response of it. */
  readonly error?: unknown;
}

/** Runs what comes after a guard. */
export type Next = () => Promise<Handled>;

/**
 * What comes of a guard: a response that is to be sent, or true where the handler may run and nothing is left to be
 * done about its reply. Otherwise it runs the handler, and resolves to what is to be sent.
 */
export type FetchAdmission = Response | true | ((next: Next) => Promise<Response>);

/** One request to a handler of the Fetch standard, as its guards and handlers share it. */
export class FetchVisit {
  readonly id: string;
  readonly settings: AdapterSettings;
  readonly #source: FetchSource;
  readonly #messages: FetchMessages | undefined;
  readonly #early: EarlyHeaders | undefined;
  #context: Readonly<Partial<GuardContext>> | undefined;
  #body: Promise<Uint8Array> | undefined;
  #isHeld = false;

  constructor(source: FetchSource, messages: FetchMessages | undefined, settings: AdapterSettings) {
    this.#source = source;
    this.#messages = messages;
    this.settings = settings;
    this.id = requestId(this, settings.random);
    if (!messages?.outgoing) return;
    this.#early = new EarlyHeaders(messages.outgoing);
    this.#early.set("x-request-id", this.id);
  }

  /** What the guards have told so far, if anything. */
  get context(): Readonly<Partial<GuardContext>> | undefined {
    return this.#context;
  }

  /** The request as it stands, with its body where nothing has read it. */
  get raw(): Request {
    return this.#source.req.raw;
  }

  /** See {@link HttpRequest.header}. */
  header(name: string): string | undefined {
    const incoming = this.#messages?.incoming;
    return incoming ? rawHeaderOf(incoming.rawHeaders, name) : (this.raw.headers.get(name) ?? undefined);
  }

  /** See {@link HttpRequest.body}. */
  body(): Promise<Uint8Array> {
    return (this.#body ??= readBody(this.#source.req, this.settings.maxBodyBytes));
  }

  /** The request as a guard or a handler sees it that no framework owns. */
  requestAt(place: FetchPlace = {}, keepsBody = true): HttpRequest {
    return new FetchRequest(this, place, keepsBody);
  }

  /** The reply that tells the client of an error. */
  failureResponse(error: unknown): Response {
    return this.respond(failureReply(this.settings, error, this.requestAt()));
  }

  /** A whole reply, with the id of the request. */
  respond(reply: HttpReply): Response {
    return withDefaults(toResponse(reply), { "x-request-id": this.id });
  }

  /** Asks a guard. What it throws becomes a response. */
  admit(guard: HttpGuard, place: FetchPlace): FetchAdmission | Promise<FetchAdmission> {
    const exchange = new Exchange(guard, this.requestAt(place, guard.needs.requestBody), this.settings);
    const begun = exchange.begin();
    if (!(begun instanceof Promise)) return this.#proceed(exchange, begun);
    return begun.then((decision) => this.#proceed(exchange, decision));
  }

  #proceed(exchange: Exchange, decision: Decision): FetchAdmission {
    const wasOpen = exchange.isOpen;
    if (wasOpen) this.#watch(exchange);
    // Nobody is there to read it.
    if (!decision || exchange.isOpen !== wasOpen) return new Response(null, { status: 499 });
    if ("reply" in decision) return this.respond(decision.reply);
    if (decision.context) this.#context = { ...this.#context, ...decision.context };
    const defaults = this.#setHeaders(decision.headers);
    return wasOpen || defaults ? (next) => this.#run(exchange, next, defaults) : true;
  }

  async #run(exchange: Exchange, next: Next, defaults: HeaderPatch | undefined): Promise<Response> {
    let response: Response;
    try {
      const { res, error } = await next();
      if (error !== undefined) exchange.fail(error);
      response = defaults ? withDefaults(res, defaults) : res;
    } catch (error) {
      exchange.fail(error);
      response = this.failureResponse(error);
    }
    return this.#isFollowed(exchange) ? response : this.#settle(exchange, response);
  }

  /** Reports that the client goes away, or has gone, and how the reply ends, where the runtime tells that. */
  #watch(exchange: Exchange): void {
    const outgoing = this.#messages?.outgoing;
    // Node forgets headers that come with the head alone, unless there was one before.
    outgoing?.setHeader("x-request-id", this.id);
    if (outgoing && exchange.flows) return hasLeft(outgoing) ? exchange.gone() : follow(outgoing, exchange);
    const { signal } = this.raw;
    this.#isHeld = true;
    if (signal.aborted) exchange.gone();
    else signal.addEventListener("abort", () => exchange.gone(), { once: true });
  }

  /** Whether nothing is left to be done about a reply. */
  #isFollowed(exchange: Exchange): boolean {
    return !exchange.isOpen || (exchange.flows && this.#messages?.outgoing !== undefined);
  }

  /** Sets a guard's headers beforehand where that is possible. Otherwise they are the result. */
  #setHeaders(headers: HeaderPatch | undefined): HeaderPatch | undefined {
    // What a guard is told of a reply that is held has all its headers, and it may remove each of them.
    if (this.#isHeld || !this.#early) return { "x-request-id": this.id, ...headers };
    for (const name in headers) {
      const value = headers[name];
      if (value !== null && value !== undefined) this.#early.set(name, value);
    }
    return undefined;
  }

  async #settle(exchange: Exchange, response: Response): Promise<Response> {
    try {
      return await this.#release(exchange, response);
    } catch (error) {
      const failure = this.failureResponse(error);
      // The source of a body has failed while that was held: the guards are still to hear of the error.
      return exchange.isOpen ? this.#release(exchange, failure) : failure;
    }
  }

  async #release(exchange: Exchange, response: Response): Promise<Response> {
    const isHead = this.raw.method === "HEAD";
    // A runtime drops the body of a reply to HEAD without reading it.
    if (isHead) void response.body?.cancel();
    const passed = await passReply(exchange, headOf(response), isHead ? undefined : (response.body ?? undefined));
    return passed ? toResponse({ ...passed.head, body: passed.body }) : response;
  }
}
