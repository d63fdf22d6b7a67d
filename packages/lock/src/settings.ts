import { InvalidArgumentError, systemClock, systemRandom } from "@sluice/core";

import type { LocksOptions } from "./locks.ts";
import { memoryStore } from "./memory.ts";

/** Options with their defaults. */
export type Settings = Required<Omit<LocksOptions, "fence">> & Pick<LocksOptions, "fence">;

/** @throws `ERR_SLUICE_INVALID_ARGUMENT` naming the option. */
export function settingsOf(options: LocksOptions): Settings {
  const clock = options.clock ?? systemClock;
  const settings: Settings = {
    store: options.store ?? memoryStore({ clock }),
    leaseMs: 10_000,
    waitMs: 2000,
    pollMs: 250,
    maxWaiting: 10_000,
    onStoreError: "deny",
    random: systemRandom,
    ...given(options),
    clock,
  };
  checkTimes(settings);
  check(settings);
  return settings;
}

const longestMs = 86_400_000;

/** @throws `ERR_SLUICE_INVALID_ARGUMENT` naming the option. */
export function checkTimes({ leaseMs, waitMs }: Pick<Settings, "leaseMs" | "waitMs">): void {
  if (!Number.isSafeInteger(leaseMs) || leaseMs < 100 || leaseMs > longestMs) {
    throw new InvalidArgumentError("leaseMs", `a whole number from 100 to ${longestMs}`, leaseMs);
  }
  if (!(waitMs >= 0 && waitMs <= longestMs)) {
    throw new InvalidArgumentError("waitMs", `from 0 to ${longestMs}`, waitMs);
  }
}

function check({ pollMs, maxWaiting, onStoreError }: Settings): void {
  if (!(pollMs >= 1 && pollMs <= 60_000)) throw new InvalidArgumentError("pollMs", "from 1 to 60000", pollMs);
  if (!Number.isSafeInteger(maxWaiting) || maxWaiting < 0) {
    throw new InvalidArgumentError("maxWaiting", "a whole number, 0 or more", maxWaiting);
  }
  if (onStoreError !== "allow" && onStoreError !== "deny") {
    throw new InvalidArgumentError("onStoreError", '"allow" or "deny"', onStoreError);
  }
}

/** Without the members that are undefined, which mean the default. */
function given(options: LocksOptions): LocksOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
