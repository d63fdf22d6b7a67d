import { InvalidArgumentError, systemClock, systemRandom, type Clock, type Random } from "@sluice/core";

import type { Admission } from "./admission.ts";
import { checkedMs, checkedWhole } from "./checks.ts";
import type { LockPort } from "./lock-port.ts";
import type { InventoryStore, LateConfirm } from "./store.ts";

/** Options of {@link createInventory}. */
export interface InventoryOptions<Tx> {
  /** Where stock lives: `postgresStore(db)` of `@sluice/inventory/postgres`. */
  readonly store: InventoryStore<Tx>;
  /** A lock between processes, beside the row lock: `createLocks({ store: redisStore(redis) })`. Default: none. */
  readonly lock?: LockPort;
  /** A hint that processes share: `redisAdmission(redis)` of `@sluice/inventory/redis`. Default: none. */
  readonly admission?: Admission;
  /** How long a hold lasts, in ms. Default 600 000. */
  readonly reservationTtlMs?: number;
  /**
   * A confirmation after the deadline: `reject` it; `if-held` takes it while nobody has reaped the hold; `reacquire` also
   * takes one that has expired if its units are still there. Default `reject`.
   */
  readonly lateConfirm?: LateConfirm;
  /** How often the optimistic strategy tries, from 1. Default 5. */
  readonly optimisticAttempts?: number;
  /** What it does then: wait for the row lock, or answer `contended`. Default `lock`. */
  readonly afterConflicts?: "lock" | "give-up";
  /** Default: the clock of this machine. It decides no deadline of a hold: that is the database's. */
  readonly clock?: Clock;
  /** Spreads attempts. Default: that of this machine. */
  readonly random?: Random;
}

/** Options with their defaults. */
export type Settings<Tx> = Required<Omit<InventoryOptions<Tx>, "lock" | "admission">> &
  Pick<InventoryOptions<Tx>, "lock" | "admission">;

/** @throws `ERR_SLUICE_INVALID_ARGUMENT` naming the option. */
export function settingsOf<Tx>(options: InventoryOptions<Tx>): Settings<Tx> {
  const settings: Settings<Tx> = {
    ...options,
    reservationTtlMs: checkedMs("reservationTtlMs", options.reservationTtlMs ?? 600_000),
    lateConfirm: options.lateConfirm ?? "reject",
    optimisticAttempts: checkedWhole("optimisticAttempts", options.optimisticAttempts ?? 5, [1, 100]),
    afterConflicts: options.afterConflicts ?? "lock",
    clock: options.clock ?? systemClock,
    random: options.random ?? systemRandom,
  };
  checkChoice("lateConfirm", settings.lateConfirm, ["reject", "if-held", "reacquire"]);
  checkChoice("afterConflicts", settings.afterConflicts, ["lock", "give-up"]);
  return settings;
}

function checkChoice(argument: string, value: string, choices: readonly string[]): void {
  if (choices.includes(value)) return;
  throw new InvalidArgumentError(argument, choices.map((choice) => `"${choice}"`).join(" or "), value);
}
