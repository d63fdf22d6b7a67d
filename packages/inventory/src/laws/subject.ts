import type { Random } from "@sluice/core";

import { createInventory, type Inventory } from "../inventory.ts";
import type { ReserveResult } from "../reservation.ts";
import type { InventoryOptions } from "../settings.ts";
import type { InventoryStore } from "../store.ts";

/** An empty store, and a way to let time pass for it. */
export interface InventorySubject {
  readonly store: InventoryStore<unknown>;
  /** Lets so much time pass for the store. */
  readonly pass: (ms: number) => Promise<void>;
}

/** A sentence that holds for every {@link InventoryStore}, and the check that tries to refute it. */
export interface InventoryLaw {
  readonly title: string;
  check(subject: InventorySubject, context: { readonly random: Random }): Promise<void>;
}

export const ttlMs = 60_000;

/** An inventory on the subject, with 10 units of `a` and 5 of `b`. */
export async function stocked(
  { store }: InventorySubject,
  options: Partial<InventoryOptions<unknown>> = {},
): Promise<Inventory<unknown>> {
  const inventory = createInventory({ reservationTtlMs: ttlMs, ...options, store });
  await inventory.restock({ productId: "a", quantity: 10, key: "first a" });
  await inventory.restock({ productId: "b", quantity: 5, key: "first b" });
  return inventory;
}

let ids = 0;

/** An id that no other call gives. */
export function newId(): string {
  ids += 1;
  return `00000000-0000-4000-8000-${ids.toString(16).padStart(12, "0")}`;
}

export async function available(inventory: Inventory<unknown>, productId: string): Promise<number | undefined> {
  const [level] = await inventory.levels([productId]);
  return level?.available;
}

/** What is kept together must agree, and stock must be as expected. */
export async function expectStock(
  inventory: Inventory<unknown>,
  expected: Readonly<Record<string, number>>,
): Promise<void> {
  for (const [productId, units] of Object.entries(expected)) {
    same(`available of ${productId}`, await available(inventory, productId), units);
  }
  same("violations", await inventory.verify(), []);
}

export function same(what: string, actual: unknown, expected: unknown): void {
  const [one, other] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (one !== other) throw new Error(`${what}: ${one}, not ${other}`);
}

export function count(results: readonly ReserveResult[], status: ReserveResult["status"]): number {
  return results.filter((result) => result.status === status).length;
}

/** The ways to reserve, by name: all keep the same laws. */
export function ways(inventory: Inventory<unknown>): readonly (readonly [string, Inventory<unknown>["reserve"]])[] {
  return [
    ["dual", (request) => inventory.reserve(request)],
    ["optimistic", (request) => inventory.reserveWithOptimisticLock(request)],
    ["in a transaction", (request) => inventory.transaction(["a"], (tx) => inventory.reserve(request, tx))],
  ];
}
