import type { AdapterSettings } from "../adapter-settings.ts";
import { failureReply } from "../error/failure-reply.ts";
import { Exchange } from "../exchange.ts";
import type { GuardContext, HttpGuard } from "../guard.ts";
import { passReply } from "../pass-reply.ts";
import type { Decision } from "../release.ts";
import type { HeaderPatch, HttpReply } from "../reply.ts";
import { requestId } from "../request-id.ts";
import type { HttpRequest } from "../request.ts";
import { FetchRequest } from "./fetch-request.ts";
import { readBody } from "./request-body.ts";
import { headOf, toResponse, withDefaults } from "./response.ts";

/** Where a framework keeps a request and its reply. */
export interface FetchSource {
  /** `raw` is replaced when its body has been read for a guard. */
  readonly messages: { raw: Request };
  /** Takes headers of the reply beforehand, where the runtime has something cheaper than `Headers` for them. */
  readonly headers?: { setHeader(name: string, value: string | readonly string[]): unknown };
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
  readonly response: Response;
  /** What it threw, where the framework has made a response of it. */
  readonly error?: unknown;
}

/** Runs what comes after a guard. */
export type Next = (context: Readonly<Partial<GuardContext>>) => Promise<Handled>;

/** One request to a handler of the Fetch standard, as its guards and handlers share it. */
export class FetchVisit {
  readonly id: string;
  readonly settings: AdapterSettings;
  readonly #source: FetchSource;
  #context: Readonly<Partial<GuardContext>> = {};
  #body: Promise<Uint8Array> | undefined;
  #isWatched = false;

  constructor(source: FetchSource, settings: AdapterSettings) {
    this.#source = source;
    this.settings = settings;
    this.id = requestId(this, settings.random);
    source.headers?.setHeader("x-request-id", this.id);
  }

  /** The request as it stands, with its body where nothing has read it. */
  get raw(): Request {
    return this.#source.messages.raw;
  }

  /** See {@link HttpRequest.header}. */
  header(name: string): string | undefined {
    return this.raw.headers.get(name) ?? undefined;
  }

  /** See {@link HttpRequest.body}. */
  body(): Promise<Uint8Array> {
    return (this.#body ??= readBody(this.#source.messages, this.settings.maxBodyBytes));
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

  /** Lets the request through a guard, or answers in the handler's place. */
  pass(guard: HttpGuard, place: FetchPlace, next: Next): Promise<Response> {
    const exchange = new Exchange(guard, this.requestAt(place, guard.needs.requestBody), this.settings);
    const begun = exchange.begin();
    if (!(begun instanceof Promise)) return this.#proceed(exchange, next, begun);
    return begun.then((decision) => this.#proceed(exchange, next, decision));
  }

  async #proceed(exchange: Exchange, next: Next, decision: Decision): Promise<Response> {
    const wasOpen = exchange.isOpen;
    if (wasOpen) this.#watch(exchange);
    // Nobody is there to read it.
    if (!decision || exchange.isOpen !== wasOpen) return new Response(null, { status: 499 });
    if ("reply" in decision) return this.respond(decision.reply);
    if (decision.context) this.#context = { ...this.#context, ...decision.context };
    const defaults = this.#setHeaders(decision.headers);
    const response = await this.#run(exchange, next, defaults);
    return exchange.isOpen ? this.#settle(exchange, response) : response;
  }

  /** Sets a guard's headers beforehand where that is possible. Otherwise they are the result. */
  #setHeaders(headers: HeaderPatch | undefined): HeaderPatch | undefined {
    // What a guard is told of a reply has all its headers, and it may remove each of them.
    const { headers: beforehand } = this.#source;
    if (this.#isWatched || !beforehand) return { "x-request-id": this.id, ...headers };
    for (const [name, value] of Object.entries(headers ?? {})) if (value !== null) beforehand.setHeader(name, value);
    return undefined;
  }

  async #run(exchange: Exchange, next: Next, defaults: HeaderPatch | undefined): Promise<Response> {
    try {
      const handled = await next(this.#context);
      if (handled.error !== undefined) exchange.fail(handled.error);
      return defaults ? withDefaults(handled.response, defaults) : handled.response;
    } catch (error) {
      exchange.fail(error);
      return this.failureResponse(error);
    }
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

  /** Reports that the client goes away, or has gone. */
  #watch(exchange: Exchange): void {
    const { signal } = this.raw;
    this.#isWatched = true;
    if (signal.aborted) exchange.gone();
    else signal.addEventListener("abort", () => exchange.gone(), { once: true });
  }
}
