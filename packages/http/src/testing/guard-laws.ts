import type { Random } from "@sluice/core";

import type { HttpGuard, Outcome, PassVerdict } from "../guard.ts";
import type { HttpRequest } from "../request.ts";
import { hostileParts } from "./hostile-parts.ts";
import { checkVerdict, isSendable } from "./sendable.ts";
import { testRequest, type TestRequestParts } from "./test-request.ts";

/** A guard, and what the laws cannot know of it. */
export interface GuardSubject {
  readonly guard: HttpGuard;
  /** A request that the guard lets pass: another one each time, as of another client. Default: other addresses. */
  passing?(number: number): TestRequestParts;
  /** What the guard keeps, as a value to compare: that it does not change when it must not. */
  state?(): unknown;
}

/** What a law may use. `@sluice/testing` brings it. */
export interface GuardLawContext {
  readonly random: Random;
}

/** A sentence that holds for every guard, and the check that tries to refute it. */
export interface GuardLaw {
  readonly title: string;
  check(subject: GuardSubject, context: GuardLawContext): Promise<void>;
}

const head = { status: 200, headers: { "content-type": "text/plain", "set-cookie": ["a=1", "b=2"] } } as const;
const text = new TextEncoder().encode("hello");

const outcomes: readonly (() => Outcome)[] = [
  () => ({ kind: "replied", head, body: text }),
  () => ({ kind: "replied", head: { status: 204, headers: {} }, body: new Uint8Array() }),
  () => ({ kind: "replied", head: { status: 500, headers: {} } }),
  () => ({ kind: "streamed", head, ended: Promise.resolve({ kind: "aborted" }) }),
  () => ({ kind: "over-cap", head, ended: Promise.resolve({ kind: "replied", head }) }),
  () => ({ kind: "failed", error: undefined, head: { status: 500, headers: {} } }),
  () => ({ kind: "aborted" }),
];

/**
 * What every guard must do: whoever writes one runs these. Data, as all laws are: run them with `runLaws` of
 * `@sluice/testing/vitest`, or call `check`, which throws when the law does not hold.
 */
export const guardLaws: readonly GuardLaw[] = [
  {
    title: "its name is fit for a metric",
    check({ guard }) {
      verify(
        `the name ${guard.name}`,
        /^[a-z][a-z0-9]*(?:[-+][a-z0-9]+)*$/.test(guard.name) && guard.name.length <= 100,
      );
      return Promise.resolve();
    },
  },
  {
    title: "it decides about any request without throwing, and what it says can be sent",
    async check({ guard }, { random }) {
      for (let number = 0; number < 300; number += 1) {
        const parts = hostileParts(random);
        const request = testRequest(parts);
        const verdict = await during(`deciding about ${JSON.stringify(parts)}`, async () => guard.before(request));
        checkVerdict(verdict, request);
        if (!("reply" in verdict)) await verdict.settle?.({ kind: "aborted" });
      }
    },
  },
  {
    title: "it lets a request pass, and hears of every end that it can have without throwing",
    async check(subject) {
      for (const [number, outcome] of outcomes.entries()) {
        const pass = await passOf(subject, number);
        const { kind } = outcome();
        const settlement = await during(`settling as ${kind}`, async () => pass.settle?.(deepFrozen(outcome())));
        verify(`a patch after ${kind} that can be sent`, isSendable(settlement?.headers ?? {}));
      }
      verify("the body unchanged that it is given", new TextDecoder().decode(text) === "hello");
    },
  },
  {
    title: "an end that it hears of again is one that it has heard of",
    async check(subject) {
      for (const [number, outcome] of outcomes.entries()) {
        const pass = await passOf(subject, number);
        await pass.settle?.(outcome());
        const before = JSON.stringify(await subject.state?.());
        await during("settling again", async () => pass.settle?.(outcome()));
        verify("the same state after settling again", JSON.stringify(await subject.state?.()) === before);
      }
    },
  },
  {
    title: "it reads no body that it does not need",
    async check(subject) {
      let reads = 0;
      const body = (): Promise<Uint8Array> => {
        reads += 1;
        return Promise.resolve(text);
      };
      const request = { ...passingRequest(subject, 0), body };
      const verdict = await subject.guard.before(request);
      if (!("reply" in verdict)) await verdict.settle?.({ kind: "aborted" });
      verify("no reads", subject.guard.needs.requestBody || reads === 0);
    },
  },
  {
    title: "it decides although the client has gone, or rejects with the reason why",
    async check(subject) {
      const reason = new Error("The client has gone.");
      const request = { ...passingRequest(subject, 0), signal: AbortSignal.abort(reason) };
      try {
        const verdict = await subject.guard.before(request);
        if (!("reply" in verdict)) await verdict.settle?.({ kind: "aborted" });
      } catch (error) {
        verify("the reason", error === reason);
      }
    },
  },
  {
    title: "it leaves no listener on the signal of a request that is over",
    async check(subject) {
      for (const [number, outcome] of outcomes.entries()) {
        const { signal } = new AbortController();
        const listeners = countListeners(signal);
        const verdict = await subject.guard.before({ ...passingRequest(subject, number), signal });
        if (!("reply" in verdict)) await verdict.settle?.(outcome());
        verify("no listeners", listeners() === 0);
      }
    },
  },
  {
    title: "requests that come at once and end in any order do not disturb each other",
    async check(subject, { random }) {
      const passes = await Promise.all(Array.from({ length: 32 }, (_, number) => passOf(subject, number)));
      const shuffled = passes.map((pass) => ({ pass, order: random.float() })).toSorted((a, b) => a.order - b.order);
      const ends = shuffled.map(async ({ pass }, index) =>
        pass.settle?.((outcomes[index % outcomes.length] ?? aborted)()),
      );
      await during("settling many", () => Promise.all(ends));
    },
  },
];

const aborted = (): Outcome => ({ kind: "aborted" });

function passingRequest(subject: GuardSubject, number: number): HttpRequest {
  return testRequest(subject.passing?.(number) ?? { address: `203.0.113.${number + 1}` });
}

async function passOf(subject: GuardSubject, number: number): Promise<PassVerdict> {
  const verdict = await subject.guard.before(passingRequest(subject, number));
  if ("reply" in verdict) throw new Error(`request ${number} passes: got a reply of ${verdict.reply.status}`);
  return verdict;
}

function countListeners(signal: AbortSignal): () => number {
  let count = 0;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...listener: Parameters<typeof add>) => {
    count += 1;
    add(...listener);
  };
  signal.removeEventListener = (...listener: Parameters<typeof remove>) => {
    count -= 1;
    remove(...listener);
  };
  return () => count;
}

function deepFrozen(outcome: Outcome): Outcome {
  if ("head" in outcome) {
    Object.freeze(outcome.head);
    Object.freeze(outcome.head.headers);
  }
  return Object.freeze(outcome);
}

async function during<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new Error(`The guard threw ${what}.`, { cause });
  }
}

function verify(what: string, holds: boolean): void {
  if (!holds) throw new Error(`Expected ${what}.`);
}
