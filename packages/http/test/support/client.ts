import {
  Exchange,
  exchangeSettings,
  httpEvents,
  type ExchangeOptions,
  type GuardNeeds,
  type HttpEvent,
  type HttpGuard,
  type HttpRequest,
  type Outcome,
  type PassVerdict,
  type ReleasedReply,
  type ReplyHead,
  type Settlement,
} from "@sluice/http";
import { createFakeClock, type FakeClock } from "@sluice/testing";

import { makeRequest } from "./request.ts";

/** What a guard in a test answers when it is told of the outcome. */
export type Settle = (outcome: Outcome) => Settlement | undefined | Promise<Settlement | undefined>;

/** A guard that passes, and keeps the outcomes that it is told. */
export function passingGuard(
  reply: GuardNeeds["reply"],
  settle: Settle = () => undefined,
  verdict: Partial<PassVerdict> = {},
): HttpGuard & { readonly outcomes: Outcome[] } {
  const outcomes: Outcome[] = [];
  return {
    name: "test-guard",
    stage: "address",
    needs: { requestBody: false, reply },
    outcomes,
    before: () => ({
      pass: true,
      ...verdict,
      settle: (outcome) => {
        outcomes.push(outcome);
        return settle(outcome);
      },
    }),
  };
}

/** How a {@link Client} is made. */
export interface ClientOptions extends Omit<ExchangeOptions, "clock"> {
  readonly request?: HttpRequest;
  /** Throws instead of sending, as Node does for a header that HTTP does not allow. */
  readonly refuse?: (reply: ReleasedReply) => unknown;
}

const ok: ReplyHead = { status: 200, headers: { "content-type": "text/plain" } };
const decoder = new TextDecoder();

/** An adapter that has passed a request to its handler, and the client who sees what comes of it. */
export class Client {
  readonly clock: FakeClock = createFakeClock();
  readonly exchange: Exchange;
  /** The head that the client has got. */
  head: ReplyHead | undefined;
  /** The body that the client has got so far. */
  text = "";
  isComplete = false;
  releases = 0;
  readonly #refuse: ClientOptions["refuse"];

  constructor(guard: HttpGuard, options: ClientOptions = {}) {
    const { request = makeRequest(), refuse, ...settings } = options;
    this.#refuse = refuse;
    this.exchange = new Exchange(guard, request, exchangeSettings({ ...settings, clock: this.clock }));
    const decision = this.exchange.begin();
    if (decision instanceof Promise) throw new Error("This guard must decide at once.");
    if (!this.exchange.flows) this.exchange.hold((reply) => this.#release(reply));
  }

  /** The handler begins a reply. */
  begins(head: ReplyHead = ok): this {
    this.#begin(head);
    return this;
  }

  /** The handler writes a piece. Returns whether it may go on at once. */
  writes(chunk: string): boolean {
    if (!this.exchange.flows) return this.exchange.chunk(chunk);
    this.text += chunk;
    return true;
  }

  /** The handler writes the rest, or all of it. */
  ends(last?: string): void {
    if (this.exchange.flows) {
      this.text += last ?? "";
      this.isComplete = true;
    }
    this.exchange.end(last);
  }

  /** The handler replies with one call. */
  replies(body?: string, head: ReplyHead = ok): this {
    this.#begin(head);
    this.ends(body);
    return this;
  }

  #begin(head: ReplyHead): void {
    if (this.exchange.flows) this.head ??= head;
    this.exchange.head(head);
  }

  #release(reply: ReleasedReply | undefined): void {
    this.releases += 1;
    if (!reply) return;
    if (this.#refuse) {
      const error = this.#refuse(reply);
      // oxlint-disable-next-line typescript/only-throw-error -- whatever an adapter throws
      if (error !== undefined) throw error;
    }
    this.head = reply.head;
    for (const chunk of reply.chunks) this.text += decoder.decode(chunk);
    this.isComplete = reply.complete;
  }
}

/** Runs `work`, and returns the events that it published. */
export async function eventsDuring(work: () => Promise<void> | void): Promise<HttpEvent[]> {
  const events: HttpEvent[] = [];
  const stop = httpEvents.subscribe((event) => events.push(event));
  try {
    await work();
  } finally {
    stop();
  }
  return events;
}

/** Lets everything happen that needs no timer. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}
