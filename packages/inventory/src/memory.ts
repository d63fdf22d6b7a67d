import { systemClock, type Clock } from "@sluice/core";

import { Ledger } from "./memory/ledger.ts";
import type { StockLevel, Violation } from "./reservation.ts";
import type { InventoryStore, PageOf } from "./store.ts";

/** A transaction of {@link memoryStore}. */
export interface MemoryTransaction {
  readonly kind: "memory";
}

/** Options of {@link memoryStore}. */
export interface MemoryStoreOptions {
  /** Decides when a hold ends. Default: the clock of this machine. */
  readonly clock?: Clock;
}

/**
 * Stock in this process: for tests, under the laws that hold in PostgreSQL. Transactions come one after the other, and one
 * that throws leaves nothing. Nothing outlives the process, and nothing is bounded but by `purge`.
 */
export function memoryStore({ clock = systemClock }: MemoryStoreOptions = {}): InventoryStore<MemoryTransaction> {
  let ledger = new Ledger();
  let turn: Promise<unknown> = Promise.resolve();
  const tx: MemoryTransaction = { kind: "memory" };

  function transaction<T>(work: (transaction: MemoryTransaction) => Promise<T>): Promise<T> {
    const result = turn.then(async () => {
      const before = structuredClone(ledger.state);
      try {
        return await work(tx);
      } catch (error) {
        ledger = new Ledger(before);
        throw error;
      }
    });
    turn = result.catch(() => undefined);
    return result;
  }

  // Only whoever is inside a transaction has its handle.
  function within<T>(inside: MemoryTransaction | undefined, work: (now: number) => T): Promise<T> {
    const run = async (): Promise<T> => work(clock.now());
    return inside ? run() : transaction(run);
  }

  const by: ByLedger = (work) => within(undefined, (now) => work(ledger, now));

  return {
    transaction,
    reserve: (wanted, inside) => within(inside, (now) => ledger.reserve(wanted, now)),
    reserveWith: (wanted, onReserved) =>
      transaction(async () => {
        const decision = ledger.reserve(wanted, clock.now());
        if (decision.outcome === "reserved") await onReserved(tx);
        return decision;
      }),
    // Nobody comes between the look and the write.
    reserveUnlessChanged: (wanted, inside) => within(inside, (now) => ledger.reserve(wanted, now)),
    reserveBatch: (batch, onReserved) =>
      transaction(async () => {
        const decided = ledger.reserveBatch(batch, clock.now());
        const reserved = batch.requests.filter((_, place) => decided.decisions[place]?.outcome === "reserved");
        if (reserved.length > 0) await onReserved?.(tx, reserved);
        return decided;
      }),
    end: (wanted, inside) => within(inside, (now) => ledger.end(wanted, now)),
    extend: (id, ms, inside) => within(inside, (now) => ledger.extend(id, ms, now)),
    move: (wanted, inside) => within(inside, (now) => ledger.move(wanted, now)),
    setLowAt: (productId, lowAt, inside) => within(inside, (now) => ledger.setLowAt(productId, lowAt, now)),
    get: (id, inside) => within(inside, () => ledger.get(id)),
    ...reading(by),
    ...keeping(by),
    deliver: (limit, handle) =>
      transaction(async () => {
        const events = ledger.takeEvents(limit);
        if (events.length > 0) await handle(tx, events);
        return events.length;
      }),
  };
}

/** Work on what there is now. */
type ByLedger = <T>(work: (ledger: Ledger, now: number) => T) => Promise<T>;

function reading(by: ByLedger): Pick<InventoryStore<MemoryTransaction>, "levels" | "page" | "lowStock" | "violations"> {
  return {
    levels: (productIds) =>
      by((ledger, now) => ledger.levels(now).filter(({ productId }) => productIds.includes(productId))),
    page: (page) => by((ledger, now) => pageOf(ledger.levels(now), page)),
    lowStock: (page) => by((ledger, now) => pageOf(ledger.levels(now).filter(isLow), page)),
    violations: (limit) => by((ledger): readonly Violation[] => ledger.violations().slice(0, limit)),
  };
}

function keeping(by: ByLedger): Pick<InventoryStore<MemoryTransaction>, "expire" | "checkpoint" | "archive" | "purge"> {
  return {
    expire: (limit) => by((ledger, now) => ledger.expire(limit, now)),
    checkpoint: () => by((ledger) => ledger.checkpoint()),
    archive: (olderThanMs, limit) => by((ledger, now) => ledger.archive(now - olderThanMs, limit)),
    purge: (olderThanMs, limit) => by((ledger, now) => ledger.purge(now - olderThanMs, limit)),
  };
}

function pageOf(levels: readonly StockLevel[], { after, limit }: PageOf): readonly StockLevel[] {
  return levels.filter(({ productId }) => productId > after).slice(0, limit);
}

function isLow({ available, lowAt }: StockLevel): boolean {
  return available <= lowAt;
}
