import { SettleTimeoutError } from "./errors.ts";
import { httpEvents } from "./events.ts";
import type { ExchangeSettings } from "./exchange-settings.ts";
import type { HttpGuard, Outcome, PassVerdict, Settlement } from "./guard.ts";
import { isPromise } from "./promise.ts";

/** Tells a guard, and waits for nothing. What it throws is an event. */
export function tell(guard: HttpGuard, verdict: PassVerdict, outcome: Outcome): void {
  const report = (error: unknown): void => reportFailure(guard, outcome, { error, held: false });
  try {
    const settlement = verdict.settle?.(outcome);
    if (isPromise(settlement)) settlement.then(undefined, report);
  } catch (error) {
    report(error);
  }
}

/** Publishes what a guard threw when it was told. */
export function reportFailure(
  { name: guard }: HttpGuard,
  { kind: outcome }: Outcome,
  { error, held }: { readonly error: unknown; readonly held: boolean },
): void {
  httpEvents.publish({ type: "settle-failed", guard, outcome, held, error });
}

/** What becomes of a reply that is held meanwhile. One of the two is called, once. */
export interface Holder {
  settled(settlement: Settlement | undefined): void;
  failed(error: unknown): void;
}

/** Tells a guard of the outcome: the first one that comes. Whatever the guard throws is an event, and nothing is lost. */
export class Settling {
  readonly #guard: HttpGuard;
  readonly #verdict: PassVerdict;
  readonly #settings: ExchangeSettings;
  #isDone = false;

  constructor(guard: HttpGuard, verdict: PassVerdict, settings: ExchangeSettings) {
    this.#guard = guard;
    this.#verdict = verdict;
    this.#settings = settings;
  }

  /** Whether the guard has been told. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /** Tells the guard, and waits for nothing. */
  tell(outcome: Outcome): void {
    if (this.#isDone) return;
    this.#isDone = true;
    tell(this.#guard, this.#verdict, outcome);
  }

  /** Tells the guard, and the holder what came of it, perhaps at once, and by the deadline at the latest. */
  ask(outcome: Outcome, holder: Holder): void {
    if (this.#isDone) return;
    this.#isDone = true;
    const fail = (error: unknown): void => {
      reportFailure(this.#guard, outcome, { error, held: true });
      holder.failed(error);
    };
    let settlement: Settlement | undefined | Promise<Settlement | undefined>;
    try {
      settlement = this.#verdict.settle?.(outcome);
    } catch (error) {
      fail(error);
      return;
    }
    if (isPromise(settlement)) this.#await(settlement, { settled: (patch) => holder.settled(patch), failed: fail });
    else holder.settled(settlement);
  }

  #await(settlement: Promise<Settlement | undefined>, holder: Holder): void {
    const { clock, settleDeadlineMs } = this.#settings;
    let isLate = false;
    const expire = (): void => {
      isLate = true;
      holder.failed(new SettleTimeoutError(this.#guard.name, settleDeadlineMs));
    };
    // In the background: the connection keeps the process alive.
    const timer = clock.schedule(settleDeadlineMs, expire, { background: true });
    const finish = (next: () => void): void => {
      timer.cancel();
      if (!isLate) next();
    };
    settlement.then(
      (patch) => finish(() => holder.settled(patch)),
      (error: unknown) => finish(() => holder.failed(error)),
    );
  }
}
