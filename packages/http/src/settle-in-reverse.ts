import type { HttpGuard, Outcome, PassVerdict, Settlement } from "./guard.ts";
import { reportFailure, tell } from "./settling.ts";

/** A guard that has let the request pass, and what it said. */
export interface Passed {
  readonly guard: HttpGuard;
  readonly verdict: PassVerdict;
}

/**
 * Tells guards of an outcome, the last one first, each at once: one that hangs keeps no other from hearing. Undefined
 * when none of them needs anything of the reply, otherwise their patches as one, those of earlier guards on top.
 */
export function settleInReverse(passed: readonly Passed[], outcome: Outcome): Promise<Settlement> | undefined {
  const pending: { readonly guard: HttpGuard; readonly settled: Promise<Settlement | undefined> }[] = [];
  for (const { guard, verdict } of passed.toReversed()) {
    if (!verdict.settle) continue;
    if (guard.needs.reply === "nothing") tellAtEnd(guard, verdict, outcome);
    else pending.push({ guard, settled: new Promise((resolve) => resolve(verdict.settle?.(outcome))) });
  }
  return pending.length > 0 ? merged(pending, outcome) : undefined;
}

function tellAtEnd(guard: HttpGuard, verdict: PassVerdict, outcome: Outcome): void {
  if (outcome.kind !== "streamed" && outcome.kind !== "over-cap") tell(guard, verdict, outcome);
  else void outcome.ended.then((ending) => tell(guard, verdict, ending));
}

async function merged(
  pending: readonly { readonly guard: HttpGuard; readonly settled: Promise<Settlement | undefined> }[],
  outcome: Outcome,
): Promise<Settlement> {
  const results = await Promise.allSettled(pending.map(({ settled }) => settled));
  let failure: { readonly error: unknown } | undefined;
  const headers = {};
  for (const [index, result] of results.entries()) {
    const guard = pending[index]?.guard;
    if (result.status === "fulfilled") Object.assign(headers, result.value?.headers);
    else if (!failure) failure = { error: result.reason };
    else if (guard) reportFailure(guard, outcome, { error: result.reason, held: false });
  }
  // Whoever waits for all of them reports the first failure.
  if (failure) throw failure.error;
  return { headers };
}
