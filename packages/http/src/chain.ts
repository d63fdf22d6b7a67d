import { httpErrorOf } from "./error/error-kinds.ts";
import type { GuardContext, HttpGuard, Outcome, PassVerdict, ReplyVerdict, Verdict } from "./guard.ts";
import { defaultHeaders, patchHeaders } from "./header-patch.ts";
import { bytesOf } from "./held-body.ts";
import { isPromise } from "./promise.ts";
import type { HeaderPatch, HttpReply } from "./reply.ts";
import type { HttpRequest } from "./request.ts";
import { settleInReverse, type Passed } from "./settle-in-reverse.ts";
import { tell } from "./settling.ts";
import { checkedPass } from "./verdict.ts";

/** One request on its way through several guards. */
export class Chain {
  readonly #parts: readonly HttpGuard[];
  readonly #request: HttpRequest;
  readonly #passed: Passed[] = [];
  #hasGone = false;

  constructor(parts: readonly HttpGuard[], request: HttpRequest) {
    this.#parts = parts;
    this.#request = request;
  }

  /** Asks the guards that are left. A promise only when one of them takes its time. */
  advance(): Verdict | Promise<Verdict> {
    try {
      for (let guard = this.#next(); guard; guard = this.#next()) {
        const verdict = guard.before(this.#request);
        if (isPromise(verdict)) return this.#wait(guard, verdict);
        if ("reply" in verdict) return this.#answer(verdict);
        this.#pass(guard, checkedPass(verdict));
      }
    } catch (error) {
      this.#fail(error);
      throw error;
    }
    return this.#merged();
  }

  #next(): HttpGuard | undefined {
    return this.#parts[this.#passed.length];
  }

  async #wait(guard: HttpGuard, promise: Promise<Verdict>): Promise<Verdict> {
    const stopWatching = this.#watch();
    let verdict: Verdict;
    try {
      verdict = await promise;
      if (!("reply" in verdict)) this.#pass(guard, checkedPass(verdict));
    } catch (error) {
      if (!this.#hasGone) this.#fail(error);
      throw error;
    } finally {
      stopWatching();
    }
    if (this.#hasGone) return "reply" in verdict ? verdict : { pass: true };
    return "reply" in verdict ? this.#answer(verdict) : this.advance();
  }

  #pass(guard: HttpGuard, verdict: PassVerdict): void {
    if (this.#hasGone) tell(guard, verdict, { kind: "aborted" });
    else this.#passed.push({ guard, verdict });
  }

  /** A guard that decides late must not keep those before it from hearing that the client has gone. */
  #watch(): () => void {
    if (!this.#passed.some(({ verdict }) => typeof verdict.settle === "function")) return () => {};
    const { signal } = this.#request;
    const abort = (): void => {
      this.#hasGone = true;
      this.#tellAll({ kind: "aborted" });
    };
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
    return () => signal.removeEventListener("abort", abort);
  }

  #fail(error: unknown): void {
    const { status, headers } = httpErrorOf(error);
    this.#tellAll({ kind: "failed", error, head: { status, headers } });
  }

  #tellAll(outcome: Outcome): void {
    for (const { guard, verdict } of this.#passed.toReversed()) tell(guard, verdict, outcome);
  }

  #answer({ reply }: ReplyVerdict): ReplyVerdict | Promise<ReplyVerdict> {
    const headers = defaultHeaders(reply.headers, mergedHeaders(this.#passed));
    const answer: HttpReply = { ...reply, headers };
    const head = { status: reply.status, headers };
    const settled = settleInReverse(this.#passed, { kind: "replied", head, body: bytesOf(reply.body ?? "") });
    return settled
      ? settled.then((patch) => ({ reply: { ...answer, headers: patchHeaders(headers, patch.headers) } }))
      : { reply: answer };
  }

  #merged(): PassVerdict {
    const passed = this.#passed;
    const headers = mergedHeaders(passed);
    const contexts = passed.map(({ verdict }) => verdict.context).filter((context) => context !== undefined);
    const settle = (outcome: Outcome) => settleInReverse(passed, outcome);
    return {
      pass: true,
      ...(headers ? { headers } : {}),
      ...(contexts.length > 0 ? { context: Object.assign({}, ...contexts) as Partial<GuardContext> } : {}),
      ...(passed.some(({ verdict }) => typeof verdict.settle === "function") ? { settle } : {}),
    };
  }
}

function mergedHeaders(passed: readonly Passed[]): HeaderPatch | undefined {
  const patches = passed.map(({ verdict }) => verdict.headers).filter((patch) => patch !== undefined);
  return patches.length > 0 ? (Object.assign({}, ...patches) as HeaderPatch) : undefined;
}
