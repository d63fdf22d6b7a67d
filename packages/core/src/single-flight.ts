import { InvalidArgumentError } from "./errors.ts";
import { eventChannel } from "./telemetry.ts";

/** Options of {@link createSingleFlight}. */
export interface SingleFlightOptions {
  /** Most keys that can be joined at one time. Beyond it, calls run unshared. Default 10,000. */
  readonly maxKeys?: number;
}

/** Options of {@link SingleFlight.run}. */
export interface FlightOptions {
  /** Lets this caller go: its promise rejects with `signal.reason` at once. The others stay. */
  readonly signal?: AbortSignal;
}

/** Published on the channel `sluice:core` when a call runs alone because `maxKeys` keys are already running. */
export interface UnsharedRunEvent {
  readonly type: "single-flight.unshared";
  readonly maxKeys: number;
}

/** Shares one execution among all who ask for the same key while it runs. */
export interface SingleFlight<Value> {
  /** Keys whose execution can be joined now. */
  readonly size: number;
  /**
   * Joins the execution of `key`, or begins one by calling `work` at once. Every caller has the one outcome: the same
   * value, or the same error. The key is free again before any caller goes on, so nothing is remembered, failure
   * included. O(1).
   *
   * @param work - Runs in the async context of the caller that began it. It must not wait for its own key. Its signal
   *   aborts, with the reason of the last one to leave, when all callers have gone; the key is then free at once, and
   *   what the old work still does or throws reaches nobody. What it throws before it returns is a rejection as well.
   */
  run(key: string, work: (signal: AbortSignal) => Promise<Value> | Value, options?: FlightOptions): Promise<Value>;
  /**
   * Lets the next caller begin anew, while the running execution goes on for those who have joined it. For work that
   * has passed the point after which its result may be too old to share. Returns whether there was one.
   */
  forget(key: string): boolean;
}

const events = eventChannel<UnsharedRunEvent>("sluice:core");

/**
 * Shares one execution among all who ask for the same key while it runs, in this process. It caches nothing.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` for a `maxKeys` that is not a whole number from 1.
 * @example
 * ```ts
 * import { createSingleFlight } from "@sluice/core";
 *
 * const loads = createSingleFlight<string>();
 * let queries = 0;
 * const load = async (): Promise<string> => `row ${(queries += 1)}`;
 * await Promise.all([loads.run("user:42", load), loads.run("user:42", load)]); // => ["row 1", "row 1"]
 * queries; // => 1
 * ```
 */
export function createSingleFlight<Value>({ maxKeys = 10_000 }: SingleFlightOptions = {}): SingleFlight<Value> {
  if (!(Number.isSafeInteger(maxKeys) && maxKeys >= 1)) {
    throw new InvalidArgumentError("maxKeys", "a whole number from 1", maxKeys);
  }
  const flights = new Map<string, Flight<Value>>();
  function begin(key: string): Flight<Value> {
    if (flights.size >= maxKeys) {
      events.publish({ type: "single-flight.unshared", maxKeys });
      return new Flight(() => {});
    }
    const flight = new Flight<Value>(() => {
      // The key may belong to a newer flight by now.
      if (flights.get(key) === flight) flights.delete(key);
    });
    flights.set(key, flight);
    return flight;
  }
  return {
    get size() {
      return flights.size;
    },
    run(key, work, { signal } = {}) {
      if (signal?.aborted) return Promise.reject(signal.reason);
      const running = flights.get(key);
      if (running) return running.join(signal);
      // The key is taken and its caller aboard before the work is called, because the work may forget or abort.
      const flight = begin(key);
      const outcome = flight.join(signal);
      void flight.fly(work);
      return outcome;
    },
    forget: (key) => flights.delete(key),
  };
}

interface Caller<Value> {
  resolve(value: Value): void;
  reject(error: unknown): void;
  stopListening(): void;
}

/** One execution and those who wait for it. A caller that leaves is forgotten, so a hanging one holds no memory. */
class Flight<Value> {
  readonly #callers = new Set<Caller<Value>>();
  readonly #controller = new AbortController();
  readonly #freeKey: () => void;

  constructor(freeKey: () => void) {
    this.#freeKey = freeKey;
  }

  join(signal: AbortSignal | undefined): Promise<Value> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#callers.delete(caller);
        reject(signal?.reason);
        if (this.#callers.size === 0) this.#abandon(signal?.reason);
      };
      const caller = { resolve, reject, stopListening: () => signal?.removeEventListener("abort", leave) };
      this.#callers.add(caller);
      signal?.addEventListener("abort", leave, { once: true });
    });
  }

  /** Never rejects: every outcome goes to the callers, or to nobody. */
  async fly(work: (signal: AbortSignal) => Promise<Value> | Value): Promise<void> {
    try {
      const value = await work(this.#controller.signal);
      this.#land((caller) => caller.resolve(value));
    } catch (error) {
      this.#land((caller) => caller.reject(error));
    }
  }

  #land(settle: (caller: Caller<Value>) => void): void {
    this.#freeKey();
    for (const caller of this.#callers) {
      caller.stopListening();
      settle(caller);
    }
    this.#callers.clear();
  }

  #abandon(reason: unknown): void {
    this.#freeKey();
    this.#controller.abort(reason);
  }
}
