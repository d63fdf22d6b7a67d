import type { AdapterSettings } from "../adapter-settings.ts";
import { failureReply } from "../error/failure-reply.ts";
import { Exchange } from "../exchange.ts";
import type { GuardContext, HttpGuard } from "../guard.ts";
import { follow, hasLeft } from "../outgoing/follow.ts";
import { headerOf, type NodeRequest, type NodeResponse } from "../outgoing/messages.ts";
import type { Decision } from "../release.ts";
import type { HeaderPatch, HttpReply } from "../reply.ts";
import { requestId } from "../request-id.ts";
import type { HttpRequest } from "../request.ts";
import { HeldResponse } from "./held-response.ts";
import { VisitRequest } from "./visit-request.ts";

/** A request of Node's servers and its response. */
export interface VisitMessages {
  readonly request: NodeRequest;
  readonly response: NodeResponse;
  /** Where the framework keeps the headers of its reply. Default: the response. */
  readonly headers?: ReplyHeaderStore;
  /** Where the framework has given the request its id. */
  readonly id?: string;
}

/** A framework's own reply, as Fastify's. */
export interface ReplyHeaderStore {
  header(name: string, value: string | readonly string[]): unknown;
  removeHeader(name: string): unknown;
}

/** What a request looks like from where a guard or a handler stands. */
export interface VisitPlace {
  /** See {@link HttpRequest.principal}. */
  readonly principal?: string | undefined;
  /** See {@link HttpRequest.route}. */
  route?(): string | undefined;
}

/** What comes of a guard: its own reply, which is to be sent, or whether the handler may run. */
export type Admission = HttpReply | boolean;

// A property: a map from requests costs several times as much.
const key: unique symbol = Symbol("sluice.visit");

interface Visited extends NodeRequest {
  [key]?: Visit;
}

/** One request to a server of Node, as its guards and handlers share it. */
export class Visit {
  readonly id: string;
  readonly settings: AdapterSettings;
  readonly request: NodeRequest;
  readonly response: NodeResponse;
  readonly #headers: ReplyHeaderStore | undefined;
  #context: Readonly<Partial<GuardContext>> | undefined;
  #open: { fail(error: unknown): void }[] | undefined;
  #abort: AbortController | undefined;

  /** The visit of this request, if it has begun. */
  static at(request: NodeRequest): Visit | undefined {
    return (request as Visited)[key];
  }

  /** The visit of this request. The first call begins it, and names the reply by its id. */
  static of(messages: VisitMessages, settings: AdapterSettings): Visit {
    return ((messages.request as Visited)[key] ??= new Visit(messages, settings));
  }

  private constructor({ request, response, headers, id }: VisitMessages, settings: AdapterSettings) {
    this.request = request;
    this.response = response;
    this.settings = settings;
    this.#headers = headers;
    this.id = id ?? requestId(this, settings.random);
    if (!response.headersSent) this.#setHeader("x-request-id", this.id);
  }

  /** What the guards have told so far. */
  get context(): Readonly<Partial<GuardContext>> {
    return (this.#context ??= {});
  }

  /** Aborted when the client goes away first. It follows the response: a request closes once its body has come. */
  get signal(): AbortSignal {
    return (this.#abort ??= this.#watchAbort()).signal;
  }

  /** See {@link HttpRequest.address}. */
  get address(): string | undefined {
    const socketAddress = this.request.socket.remoteAddress;
    return this.settings.address({ socketAddress, header: (name) => this.header(name) });
  }

  /** See {@link HttpRequest.header}. */
  header(name: string): string | undefined {
    return headerOf(this.request, name);
  }

  /** The request as a guard or a handler sees it that no framework owns. */
  requestAt(place: VisitPlace = {}, keepsBody = true): HttpRequest {
    return new VisitRequest(this, place, keepsBody);
  }

  /** Asks a guard. What it throws becomes a reply. */
  admit(guard: HttpGuard, place: VisitPlace): Admission | Promise<Admission> {
    const exchange = new Exchange(guard, this.requestAt(place, guard.needs.requestBody), this.settings);
    const begun = exchange.begin();
    if (!(begun instanceof Promise)) return this.#proceed(exchange, guard, begun);
    return begun.then((decision) => this.#proceed(exchange, guard, decision));
  }

  /** A handler or a parser threw: the guards hear of it, and the reply that follows is an error. */
  fail(error: unknown): void {
    for (const each of this.#open?.toReversed() ?? []) each.fail(error);
  }

  /** The reply that tells the client of an error. */
  failureReply(error: unknown): HttpReply {
    return failureReply(this.settings, error, this.requestAt());
  }

  #proceed(exchange: Exchange, guard: HttpGuard, decision: Decision): Admission {
    const isGone = hasLeft(this.response);
    if (isGone) exchange.gone();
    if (isGone || !decision) return false;
    if ("reply" in decision) return decision.reply;
    if (exchange.isOpen) this.#hold(exchange, guard);
    if (decision.context) this.#context = { ...this.#context, ...decision.context };
    if (decision.headers) this.#setHeaders(decision.headers);
    return true;
  }

  #hold(exchange: Exchange, guard: HttpGuard): void {
    const { response } = this;
    // Node forgets headers that come with the head alone, unless there was one before.
    response.setHeader("x-request-id", this.id);
    (this.#open ??= []).push(exchange.flows ? exchange : new HeldResponse(response, exchange, guard));
    follow(response, exchange);
  }

  #setHeaders(patch: HeaderPatch): void {
    for (const name in patch) {
      const value = patch[name];
      if (value === null || value === undefined) (this.#headers ?? this.response).removeHeader(name);
      else this.#setHeader(name, value);
    }
  }

  #setHeader(name: string, value: string | readonly string[]): void {
    if (this.#headers) this.#headers.header(name, value);
    else this.response.setHeader(name, value);
  }

  #watchAbort(): AbortController {
    const abort = new AbortController();
    const { response } = this;
    const close = (): void => {
      if (!response.writableEnded) abort.abort(new Error("The client went away before its reply was complete."));
    };
    if (hasLeft(response)) close();
    else response.once("close", close);
    return abort;
  }
}
