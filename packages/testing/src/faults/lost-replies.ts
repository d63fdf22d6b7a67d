import { InvalidArgumentError } from "@sluice/core";

import type { Doom } from "./exchange.ts";

/** A fault in force. */
export interface Fault extends AsyncDisposable {
  /** Ends the fault. Live connections go on without it. Idempotent. */
  lift(): Promise<void>;
}

/** Answers that are being lost. */
export interface LostReplies extends Fault {
  /** How many answers were lost so far. */
  readonly lost: number;
}

/** How {@link FaultProxy.loseReplyAfter} chooses. */
export interface LoseReplyOptions {
  /** How many answers to lose, from 1. Default 1. */
  readonly times?: number;
}

/** The predicates that choose requests whose answers are lost. */
export interface Losers {
  readonly doom: Doom;
  /** @throws `ERR_SLUICE_INVALID_ARGUMENT` naming the option. */
  add(matches: (request: Buffer) => boolean, options: LoseReplyOptions, changed: () => void): LostReplies;
}

interface Loser {
  readonly matches: (request: Buffer) => boolean;
  left: number;
  lose(): void;
}

/** No predicates yet. */
export function createLosers(): Losers {
  const losers = new Set<Loser>();
  return {
    doom(request) {
      for (const loser of losers) {
        if (!loser.matches(request)) continue;
        loser.left -= 1;
        if (loser.left === 0) losers.delete(loser);
        return () => loser.lose();
      }
      return undefined;
    },
    add(matches, { times = 1 }, changed) {
      if (!(Number.isSafeInteger(times) && times >= 1)) {
        throw new InvalidArgumentError("times", "a whole number from 1", times);
      }
      let lost = 0;
      const lose = (): void => {
        lost += 1;
        changed();
      };
      const loser = { matches, left: times, lose };
      losers.add(loser);
      return {
        get lost() {
          return lost;
        },
        ...faultOf(async () => void losers.delete(loser)),
      };
    },
  };
}

/** @param end - Called once. */
export function faultOf(end: () => Promise<void>): Fault {
  let lifted: Promise<void> | undefined;
  const lift = (): Promise<void> => (lifted ??= end());
  return { lift, [Symbol.asyncDispose]: lift };
}
