import { type Clock, systemClock } from "@sluice/core";

import { checkedMs, checkedWhole } from "./checks.ts";
import { inventoryEvents } from "./events.ts";
import type { Inventory } from "./inventory.ts";

/** How a {@link createReaper} works. */
export interface ReaperOptions {
  /** Pause between two passes, in ms. Default 1000. */
  readonly everyMs?: number;
  /** Holds that one transaction ends. Default 500. */
  readonly limit?: number;
  /** Default: the clock of this machine. */
  readonly clock?: Clock;
}

/** Ends holds whose deadline has passed, until it is closed. */
export interface Reaper extends AsyncDisposable {
  /** Resolves once a pass that is underway has ended. */
  close(): Promise<void>;
}

/**
 * Gives the units of expired holds back to everybody, in the background. Any number of processes may run one: one of
 * them works at a time. A pass that fails is told and tried again.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` naming the option.
 */
export function createReaper<Tx>(inventory: Pick<Inventory<Tx>, "expire">, options: ReaperOptions = {}): Reaper {
  const everyMs = checkedMs("everyMs", options.everyMs ?? 1000);
  const limit = checkedWhole("limit", options.limit ?? 500, [1, 10_000]);
  const clock = options.clock ?? systemClock;
  const state = { closed: false };
  let pass = Promise.resolve();
  const begin = (): void => void (pass = reap());
  const schedule = () => clock.schedule(everyMs, begin, { background: true });
  let timer = schedule();

  async function reap(): Promise<void> {
    try {
      // A full pass means that more is due.
      for (let ended = limit; ended === limit && !state.closed;) ended = await inventory.expire(limit);
    } catch (error) {
      inventoryEvents.publish({ type: "reap-failed", error });
    }
    if (!state.closed) timer = schedule();
  }

  async function close(): Promise<void> {
    state.closed = true;
    timer.cancel();
    await pass;
  }

  return { close, [Symbol.asyncDispose]: close };
}
