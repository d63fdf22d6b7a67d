import type { Clock, Timer } from "@sluice/core";

import type { CacheStore } from "./store.ts";

/** How long a lease lasts without renewal, in ms: the longest that a process which dies holds up a key. */
export const leaseMs = 3000;

/** What {@link keepLease} needs. */
export interface RenewalGround {
  readonly store: CacheStore;
  readonly clock: Clock;
}

/**
 * Keeps a lease while its load runs, however long that is. Loads of less than a second cost nothing.
 *
 * @returns ends the renewal.
 */
export function keepLease({ store, clock }: RenewalGround, { key, lease }: { key: string; lease: string }): () => void {
  let timer: Timer | undefined;
  let isOver = false;
  const arm = (): void => {
    if (!isOver) timer = clock.schedule(leaseMs / 3, () => void renew(), { background: true });
  };
  const renew = async (): Promise<void> => {
    // One that does not come through leaves time for another.
    const isKept = await store.renew(key, lease, leaseMs).catch(() => true);
    if (isKept) arm();
  };
  arm();
  return () => {
    isOver = true;
    timer?.cancel();
  };
}
