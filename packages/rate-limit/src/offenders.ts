import { rateLimitEvents } from "./events.ts";
import { checkedCount } from "./limit.ts";

/** How {@link createOffenders} counts. */
export interface OffendersOptions {
  /** Subjects that are counted at once, from 1 to 100 000. More find more of the smaller ones. Default 1000. */
  readonly capacity?: number;
}

/** A subject that was denied often. */
export interface Offender {
  /** Where the subject is kept, such as `rate:user:42`. */
  readonly key: string;
  /** Denials that were certainly its own. */
  readonly atLeast: number;
  /** Denials that may have been its own, at most. */
  readonly atMost: number;
}

/** Who is denied most, as far as this process decides. */
export interface Offenders extends Disposable {
  /** The most denied subjects, the first the most. */
  top(howMany?: number): Offender[];
  /** Begins anew, as for the next period of a report. */
  clear(): void;
  /** Counts no more. */
  close(): void;
}

const mostCapacity = 100_000;

/**
 * Counts denials by subject in bounded memory, whoever calls: by the algorithm of Misra and Gries, so every subject with
 * more than one in `capacity + 1` of all denials is among them, and no count is off by more than that. It listens to
 * `sluice:rate-limit`, so it sees all limiters of this process; in shadow mode what would have been denied counts.
 *
 * O(1) per denial, on average. Source: J. Misra and D. Gries, "Finding repeated elements", 1982.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` naming the option.
 * @example
 * ```ts
 * import { byUser, createOffenders, createRateLimiter, window } from "@sluice/rate-limit";
 *
 * using offenders = createOffenders();
 * const limiter = createRateLimiter({ policies: { write: window({ limit: 1, per: "1m" }) } });
 * for (let call = 0; call < 4; call += 1) await limiter.consume("write", byUser("42"));
 * offenders.top(); // => [{ key: "rate:user:42", atLeast: 3, atMost: 3 }]
 * ```
 */
export function createOffenders({ capacity = 1000 }: OffendersOptions = {}): Offenders {
  checkedCount("capacity", capacity, mostCapacity);
  const counts = new Map<string, number>();
  // What every count may lack: how often all of them were lowered.
  let lowered = 0;

  function lowerAll(): void {
    lowered += 1;
    for (const [key, count] of counts) {
      if (count === 1) counts.delete(key);
      else counts.set(key, count - 1);
    }
  }

  const unsubscribe = rateLimitEvents.subscribe((event) => {
    if (event.type !== "decision" || event.allowed) return;
    const count = counts.get(event.key);
    if (count !== undefined) counts.set(event.key, count + 1);
    else if (counts.size < capacity) counts.set(event.key, 1);
    else lowerAll();
  });

  return {
    top(howMany = 10) {
      const all = [...counts].toSorted(([, one], [, other]) => other - one).slice(0, howMany);
      return all.map(([key, atLeast]) => ({ key, atLeast, atMost: atLeast + lowered }));
    },
    clear() {
      counts.clear();
      lowered = 0;
    },
    close: unsubscribe,
    [Symbol.dispose]: unsubscribe,
  };
}
