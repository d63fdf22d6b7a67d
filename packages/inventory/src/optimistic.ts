import { sleep, type Clock, type Random } from "@sluice/core";

import type { ReserveRequest, ReserveResult } from "./reservation.ts";
import type { Decision, InventoryStore, Wanted } from "./store.ts";

const firstPauseMs = 2;

/** How the optimistic strategy tries. */
export interface OptimisticSettings<Tx> {
  readonly store: InventoryStore<Tx>;
  readonly optimisticAttempts: number;
  readonly clock: Clock;
  readonly random: Random;
}

/** Tries until nobody else was faster; `undefined` when somebody was each time. Pauses grow, and are random. */
export async function decideOptimistically<Tx>(
  { store, optimisticAttempts, clock, random }: OptimisticSettings<Tx>,
  wanted: Wanted,
  tx: Tx | undefined,
): Promise<Decision | undefined> {
  for (let attempt = 1; attempt <= optimisticAttempts; attempt += 1) {
    const decision = await store.reserveUnlessChanged(wanted, tx);
    if (decision) return decision;
    if (attempt < optimisticAttempts) await sleep(clock, random.float() * firstPauseMs * 2 ** attempt);
  }
  return undefined;
}

/** What {@link reserve_with_optimistic_lock} asks: an inventory. */
export interface OptimisticReserver<Tx> {
  reserveWithOptimisticLock(request: ReserveRequest, tx?: Tx): Promise<ReserveResult>;
}

/** `inventory.reserveWithOptimisticLock` as a function, under the name that is known from elsewhere. */
export function reserve_with_optimistic_lock<Tx>(
  inventory: OptimisticReserver<Tx>,
  request: ReserveRequest,
  tx?: Tx,
): Promise<ReserveResult> {
  return inventory.reserveWithOptimisticLock(request, tx);
}
