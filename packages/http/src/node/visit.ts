import type { AdapterSettings } from "../adapter-settings.ts";
import { failureReply } from "../error/failure-reply.ts";
import { Exchange } from "../exchange.ts";
import type { GuardContext, HttpGuard } from "../guard.ts";
import type { HttpHandler } from "../handler.ts";
import type { Decision } from "../release.ts";
import type { HttpReply } from "../reply.ts";
import { requestId } from "../request-id.ts";
import type { HttpRequest } from "../request.ts";
import { HeldResponse } from "./held-response.ts";
import type { NodeRequest, NodeResponse } from "./messages.ts";
import { headOf } from "./response-head.ts";
import { VisitRequest } from "./visit-request.ts";

/** A request of Node's servers and its response. */
export interface VisitMessages {
  readonly request: NodeRequest;
  readonly response: NodeResponse;
  /** Where the framework has given the request its id. */
  readonly id?: string;
}

/** What a request looks like from where a guard or a handler stands. */
export interface RequestPlace {
  /** See {@link HttpRequest.principal}. */
  readonly principal?: string | undefined;
  /** See {@link HttpRequest.route}. */
  readonly route?: string | undefined;
}

/** Where a guard or a handler stands. */
export interface VisitPlace extends RequestPlace {
  /** Sends a whole reply, the framework's way. */
  send(reply: HttpReply): void;
}

interface Admission {
  readonly guard: HttpGuard;
  readonly exchange: Exchange;
  readonly place: VisitPlace;
}

const visits = new WeakMap<object, Visit>();

/** One request to a server of Node, as its guards and handlers share it. */
export class Visit {
  readonly id: string;
  readonly settings: AdapterSettings;
  readonly request: NodeRequest;
  readonly response: NodeResponse;
  #context: Readonly<Partial<GuardContext>> = {};
  readonly #open: { fail(error: unknown): void }[] = [];
  #abort: AbortController | undefined;

  /** The visit of this request. The first call makes it, and names the reply by its id. */
  static of(messages: VisitMessages, settings: AdapterSettings): Visit {
    const known = visits.get(messages.request);
    if (known) return known;
    const visit = new Visit(messages, settings);
    visits.set(messages.request, visit);
    return visit;
  }

  private constructor({ request, response, id }: VisitMessages, settings: AdapterSettings) {
    this.request = request;
    this.response = response;
    this.settings = settings;
    this.id = id ?? requestId({ header: (name) => this.header(name) }, settings.random);
    if (!response.headersSent) response.setHeader("x-request-id", this.id);
  }

  /** What the guards have told so far. */
  get context(): Readonly<Partial<GuardContext>> {
    return this.#context;
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
    const key = name.toLowerCase();
    const value = this.request.headers[key] ?? (key === "host" ? this.request.headers[":authority"] : undefined);
    return value === undefined || typeof value === "string" ? value : [value].flat().join(", ");
  }

  /** The request as a handler sees it that no framework owns. */
  requestAt(place: RequestPlace = {}, keepsBody = true): HttpRequest {
    return new VisitRequest(this, place, keepsBody);
  }

  /** Lets the request through a guard, or answers in the handler's place. Resolves to whether the handler may run. */
  admit(guard: HttpGuard, place: VisitPlace): boolean | Promise<boolean> {
    const exchange = new Exchange(guard, this.requestAt(place, guard.needs.requestBody), this.settings);
    const decision = exchange.begin();
    if (!(decision instanceof Promise)) {
      if (exchange.isOpen) this.#watch(exchange);
      return this.#proceed({ guard, exchange, place }, decision);
    }
    this.#watch(exchange);
    return decision.then((known) => this.#proceed({ guard, exchange, place }, known));
  }

  /** A handler or a parser threw: the guards hear of it, and the reply that follows is an error. */
  fail(error: unknown): void {
    for (const each of this.#open.toReversed()) each.fail(error);
  }

  /** The reply that tells the client of an error. */
  failureReply(error: unknown): HttpReply {
    return failureReply(this.settings, error, this.requestAt());
  }

  /** Answers with a handler that no framework owns. Rejects with whatever the handler throws. */
  async handle(handler: HttpHandler, place: VisitPlace): Promise<void> {
    place.send(await handler(this.requestAt(place)));
  }

  #proceed({ guard, exchange, place }: Admission, decision: Decision): boolean {
    if (!decision) return false;
    if ("reply" in decision) {
      place.send(decision.reply);
      return false;
    }
    if (exchange.isOpen) this.#open.push(exchange.flows ? exchange : new HeldResponse(this.response, exchange, guard));
    if (decision.context) this.#context = { ...this.#context, ...decision.context };
    for (const [name, value] of Object.entries(decision.headers ?? {})) {
      if (value === null) this.response.removeHeader(name);
      else this.response.setHeader(name, value);
    }
    return true;
  }

  #watch(exchange: Exchange): void {
    const { response } = this;
    response.once("close", () => {
      if (response.errored) exchange.fail(response.errored);
      else if (response.writableEnded) {
        exchange.head(headOf(response));
        exchange.end();
      }
      exchange.gone();
    });
  }

  #watchAbort(): AbortController {
    const abort = new AbortController();
    const { response } = this;
    const close = (): void => {
      if (!response.writableEnded) abort.abort(new Error("The client went away before its reply was complete."));
    };
    if (response.destroyed) close();
    else response.once("close", close);
    return abort;
  }
}
