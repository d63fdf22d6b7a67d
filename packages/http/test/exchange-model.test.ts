import {
  Exchange,
  exchangeSettings,
  guards,
  type GuardNeeds,
  type HttpGuard,
  type Outcome,
  type ReleasedReply,
  type ReplyHead,
  type Settlement,
  type Verdict,
} from "@sluice/http";
import { createFakeClock } from "@sluice/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { eventsDuring, settled } from "./support/client.ts";
import { makeRequest } from "./support/request.ts";
import { seeded } from "./support/seed.ts";

const cap = 8;
const deadlineMs = 100;

type Way = "at once" | "later" | "throws" | "rejects" | "never";
type Step = "head" | "stream head" | "chunk" | "large chunk" | "flush" | "end" | "fail" | "gone" | "wait" | "deadline";

const ways = fc.constantFrom<Way>("at once", "later", "throws", "rejects", "never");
const plan = fc.record({
  needs: fc.constantFrom<GuardNeeds["reply"]>("nothing", "head", "body"),
  before: fc.oneof({ weight: 5, arbitrary: fc.constantFrom<Way>("at once", "later") }, ways),
  settle: fc.option(ways, { nil: undefined }),
});
const steps = fc.array(
  fc.constantFrom<Step>(
    ...(["head", "head", "chunk", "chunk", "end", "end", "wait", "wait"] as const),
    ...(["stream head", "large chunk", "flush", "fail", "gone", "deadline"] as const),
  ),
  { maxLength: 14 },
);

type Plan = typeof plan extends fc.Arbitrary<infer T> ? T : never;

function inWay<T>(way: Way, value: T): T | Promise<T> {
  if (way === "throws") throw new Error(way);
  if (way === "rejects") return Promise.reject(new Error(way));
  if (way === "never") return new Promise(() => {});
  return way === "later" ? Promise.resolve(value) : value;
}

/** A guard as the plan has it, and how often it passed and was told. */
class Planned implements HttpGuard {
  readonly name = "planned";
  readonly stage = "address";
  readonly needs: GuardNeeds;
  readonly outcomes: Outcome[] = [];
  /** How often it must have been told once the connection has closed. */
  passes = 0;
  readonly #plan: Plan;

  constructor(chosen: Plan) {
    this.#plan = chosen;
    this.needs = { requestBody: false, reply: chosen.needs };
  }

  before(): Verdict | Promise<Verdict> {
    const { before, settle } = this.#plan;
    if (settle === undefined) return inWay<Verdict>(before, { pass: true });
    if (before === "at once" || before === "later") this.passes += 1;
    return inWay<Verdict>(before, {
      pass: true,
      settle: (outcome): Settlement | undefined | Promise<Settlement | undefined> => {
        this.outcomes.push(outcome);
        return inWay(settle, { headers: { etag: '"1"' } });
      },
    });
  }
}

const head = { status: 200, headers: {} };
const streamHead = { status: 200, headers: { "content-type": "text/event-stream" } };

/** Drives one exchange as an adapter would, and keeps what the client has got. */
class Driver {
  readonly clock = createFakeClock();
  readonly exchange: Exchange;
  readonly releases: (ReleasedReply | undefined)[] = [];
  /** Replies that were sent to a client who had gone. */
  lateReplies = 0;
  readonly #leaving = new AbortController();
  #isHandling = false;
  #hasHead = false;
  #hasEnded = false;
  #isGone = false;

  constructor(guard: HttpGuard) {
    const settings = exchangeSettings({ maxHeldBytes: cap, settleDeadlineMs: deadlineMs, clock: this.clock });
    this.exchange = new Exchange(guard, makeRequest({ signal: this.#leaving.signal }), settings);
  }

  async run(all: readonly Step[]): Promise<void> {
    const decision = this.exchange.begin();
    if (decision instanceof Promise) void decision.then((known) => this.#handle(known));
    else this.#handle(decision);
    for (const step of all) await this.#take(step);
    this.#leave();
    await this.clock.advance(deadlineMs);
    await settled();
  }

  #handle(decision: Verdict | undefined): void {
    if (!decision || "reply" in decision || this.#isGone) return;
    this.#isHandling = true;
    if (!this.exchange.isOpen || this.exchange.flows) return;
    this.exchange.hold((reply) => {
      if (this.#isGone && reply) this.lateReplies += 1;
      this.releases.push(reply);
    });
  }

  #leave(): void {
    this.#isGone = true;
    this.#leaving.abort();
    this.exchange.gone();
  }

  async #take(step: Step): Promise<void> {
    if (step === "wait") return settled();
    if (step === "deadline") return this.clock.advance(deadlineMs);
    if (step === "gone") this.#leave();
    if (this.#isHandling) this.#report(step);
  }

  #report(step: Step): void {
    if (step === "head") this.#begin(head);
    if (step === "stream head") this.#begin(streamHead);
    if (step === "fail") this.#fail();
    if (this.#hasHead && !this.#hasEnded) this.#write(step);
  }

  #begin(first: ReplyHead): void {
    this.#hasHead = true;
    this.exchange.head(first);
  }

  #fail(): void {
    this.exchange.fail(new Error("handler"));
    if (!this.exchange.flows) this.#hasHead = false;
  }

  #write(step: Step): void {
    if (step === "flush") this.exchange.flush();
    if (step === "chunk" && !this.exchange.flows) this.exchange.chunk("x");
    if (step === "large chunk" && !this.exchange.flows) this.exchange.chunk("x".repeat(cap + 1));
    if (step === "end") this.exchange.end("x");
    this.#hasEnded ||= step === "end";
  }
}

describe("whatever happens, in whatever order,", () => {
  it("a guard that passed is told exactly once, and a held reply is sent at most once", async () => {
    await fc.assert(
      fc.asyncProperty(plan, steps, async (chosen, all) => {
        const guard = new Planned(chosen);
        const driver = new Driver(guard);
        await eventsDuring(() => driver.run(all));
        expect(guard.outcomes.length).toBe(guard.passes);
        expect(driver.releases.length).toBeLessThanOrEqual(1);
        expect(driver.lateReplies).toBe(0);
        expect(driver.exchange.isOpen).toBe(false);
        expect(driver.clock.pendingTimers).toBe(0);
      }),
      seeded(2000),
    );
  });

  it("each of several guards that passed is told exactly once", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(plan, { minLength: 2, maxLength: 4 }), steps, async (plans, all) => {
        const list = plans.map((chosen) => new Planned(chosen));
        await eventsDuring(() => new Driver(guards(list)).run(all));
        expect(list.map(({ outcomes }) => outcomes.length)).toEqual(list.map(({ passes }) => passes));
      }),
      seeded(1000),
    );
  });
});
