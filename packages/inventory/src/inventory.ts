import { InvalidArgumentError } from "@sluice/core";

import { checkedId, checkedIds, checkedMs, checkedText, checkedWhole, checkMovement } from "./checks.ts";
import { inventoryEvents, type Strategy } from "./events.ts";
import { createFlash, type Flash, type FlashOptions } from "./flash/flash.ts";
import { Hints } from "./hints.ts";
import { underLock } from "./lock-port.ts";
import { decideOptimistically } from "./optimistic.ts";
import { announce, resultOf } from "./outcome.ts";
import type {
  Extension,
  Level,
  Movement,
  MovementResult,
  Reservation,
  Reserver,
  ReserveRequest,
  ReserveResult,
  Resolution,
  StockLevel,
} from "./reservation.ts";
import { settingsOf, type InventoryOptions, type Settings } from "./settings.ts";
import type { Decision, Wanted, WantedEnd, WantedMovement } from "./store.ts";
import { createUpkeep, type Upkeep } from "./upkeep.ts";
import { wantedOf } from "./wanted.ts";

/**
 * Stock in one database. Where a method takes `tx`, it becomes a part of that transaction, which the caller ends;
 * errors of the database then come as they are, so that `withTransaction` can run the work again. Without `tx` each call
 * is a transaction of its own, run again when it met a conflict, and throws
 *
 * - `ERR_SLUICE_INVENTORY_UNAVAILABLE`: nothing was done;
 * - `ERR_SLUICE_INVENTORY_UNKNOWN`: it may have been done; ask again with the same id or key.
 *
 * What the server refuses for good, such as a table that is missing, comes in its own words.
 *
 * Impossible arguments are `ERR_SLUICE_INVALID_ARGUMENT`, before anything is asked.
 */
export interface Inventory<Tx> extends Reserver, Upkeep<Tx> {
  /**
   * Holds units of one or more products, all or none, until the deadline. It locks the rows of the products in the order
   * of their ids (`select … for update`), then decides: a caller who waits for one product never waits in a ring. With
   * `lock` and without `tx`, it takes that lock first. One round trip.
   */
  reserve(request: ReserveRequest, tx?: Tx): Promise<ReserveResult>;
  /**
   * As `reserve`, without waiting for a lock: it reads the versions of the rows and writes if they are the same still.
   * For products that few want at a time. Others being faster `optimisticAttempts` times in a row, it waits for the row
   * lock, or answers `contended`; see `afterConflicts`. From three round trips.
   */
  reserveWithOptimisticLock(request: ReserveRequest, tx?: Tx): Promise<ReserveResult>;
  /** Sells what is held: the units leave the stock. Many ids at once cost little more than one. One round trip. */
  confirm(ids: string | readonly string[], tx?: Tx): Promise<readonly Resolution[]>;
  /** Gives back what is held. One round trip. @param reason - Kept with the reservation, up to 200 characters. */
  release(ids: string | readonly string[], tx?: Tx, reason?: string): Promise<readonly Resolution[]>;
  /** Moves the deadline to `ms` from now, unless it is later already or has passed. One round trip. */
  extend(id: string, ms: number, tx?: Tx): Promise<Extension>;
  /** Adds units, once per key. Makes the product when it is new. One round trip. */
  restock(movement: Movement, tx?: Tx): Promise<MovementResult>;
  /** Adds or, with a negative quantity, removes units that are not reserved, once per key: what a count has found. */
  adjust(movement: Movement, tx?: Tx): Promise<MovementResult>;
  /** Sets the threshold of the low-stock alert, from 0, which is the default. False when there is no such product. */
  setLowAt(productId: string, lowAt: number, tx?: Tx): Promise<boolean>;
  /** A reservation, or `undefined`. */
  get(id: string, tx?: Tx): Promise<Reservation | undefined>;
  /** What is available of up to 1000 products. Those that are unknown are left out. */
  levels(productIds: readonly string[]): Promise<readonly StockLevel[]>;
  /** Ends up to `limit` holds whose deadline has passed. Returns how many. See {@link createReaper}. */
  expire(limit?: number): Promise<number>;
  /**
   * Runs work in a transaction under the lock of its products, and all of it again after a conflict: reserve in it what
   * belongs together with other writes. Errors come as they are, those of the database and of its driver, too;
   * `ERR_SLUICE_COMMIT_UNKNOWN` says that it may have been done.
   */
  transaction<T>(productIds: readonly string[], work: (tx: Tx) => Promise<T>): Promise<T>;
  /** Opens a flash lane on the same tables. */
  flash(options?: FlashOptions<Tx>): Flash;
}

/**
 * Stock that is never sold twice. The database is the only truth: a lock and hints in Redis may be lost, wrong or away,
 * and only latency changes.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` naming the option.
 */
export function createInventory<Tx>(options: InventoryOptions<Tx>): Inventory<Tx> {
  const settings = settingsOf(options);
  const { admission, clock } = settings;
  const hints = admission && new Hints(admission, clock);
  const desk = new Desk(settings, hints);
  return { ...createUpkeep(settings), ...reserving(desk), ...ending(desk), ...moving(desk), ...reading(settings) };
}

/** What all methods have in common: they ask the store, and tell what came of it. */
class Desk<Tx> {
  readonly settings: Settings<Tx>;
  readonly hints: Hints | undefined;

  constructor(settings: Settings<Tx>, hints: Hints | undefined) {
    this.settings = settings;
    this.hints = hints;
  }

  // A transaction of the caller has yet to be committed: only reconcile can know.
  publish(levels: readonly Level[], tx: Tx | undefined): void {
    if (tx === undefined && levels.length > 0) this.hints?.publish(levels);
  }

  told(id: string, { decision, strategy }: Told, tx: Tx | undefined): ReserveResult {
    if (decision.outcome === "reserved") this.publish(decision.levels, tx);
    const result = resultOf(id, decision);
    announce(result, strategy);
    return result;
  }

  async locked(wanted: Wanted, tx: Tx | undefined): Promise<Decision> {
    const { store, lock } = this.settings;
    if (tx !== undefined) return store.reserve(wanted, tx);
    return underLock(lock, productsOf(wanted), () => store.reserve(wanted));
  }

  async end(wanted: WantedEnd, tx: Tx | undefined): Promise<readonly Resolution[]> {
    const { ends, levels } = await this.settings.store.end(wanted, tx);
    this.publish(levels, tx);
    const resolutions = wanted.ids.map((id, place) => ({ id, ...(ends[place] ?? missing) }));
    const ids = resolutions.filter(({ changed }) => changed).map(({ id }) => id);
    if (ids.length > 0) inventoryEvents.publish({ type: "resolved", state: wanted.to, ids });
    for (const { id, status } of resolutions)
      if (status === "late") inventoryEvents.publish({ type: "late-confirm", id });
    return resolutions;
  }

  async move(wanted: WantedMovement, tx: Tx | undefined): Promise<MovementResult> {
    const result = await this.settings.store.move(wanted, tx);
    if (result.status !== "applied") return result;
    this.publish([result.level], tx);
    const { kind, productId, delta: quantity } = wanted;
    inventoryEvents.publish({ type: "moved", kind, productId, quantity });
    return result;
  }
}

type Reserving<Tx> = Pick<Inventory<Tx>, "reserve" | "reserveWithOptimisticLock" | "transaction" | "flash">;

function reserving<Tx>(desk: Desk<Tx>): Reserving<Tx> {
  const { settings, hints } = desk;
  return {
    async reserve(request, tx) {
      const wanted = wantedOf(request, settings);
      return desk.told(wanted.id, { decision: await desk.locked(wanted, tx), strategy: "dual" }, tx);
    },
    async reserveWithOptimisticLock(request, tx) {
      const wanted = wantedOf(request, settings);
      let decision = await decideOptimistically(settings, wanted, tx);
      if (!decision && settings.afterConflicts === "give-up") return { status: "contended", id: wanted.id };
      decision ??= await desk.locked(wanted, tx);
      return desk.told(wanted.id, { decision, strategy: "optimistic" }, tx);
    },
    async transaction(productIds, work) {
      const products = checkedProducts(productIds);
      return underLock(settings.lock, products, () => settings.store.transaction(work));
    },
    flash: (options = {}) => createFlash({ settings, hints }, options),
  };
}

function ending<Tx>(desk: Desk<Tx>): Pick<Inventory<Tx>, "confirm" | "release" | "extend" | "expire"> {
  const { store, lateConfirm } = desk.settings;
  return {
    async confirm(ids, tx) {
      return desk.end({ ids: checkedIds(ids), to: "confirmed", late: lateConfirm, reason: undefined }, tx);
    },
    async release(ids, tx, reason) {
      const given = reason === undefined ? undefined : checkedText("reason", reason);
      return desk.end({ ids: checkedIds(ids), to: "released", late: "reject", reason: given }, tx);
    },
    async extend(id, ms, tx) {
      return store.extend(checkedId("id", id), checkedMs("ms", ms), tx);
    },
    async expire(limit = 500) {
      const { ids, levels } = await store.expire(checkedWhole("limit", limit, [1, 10_000]));
      desk.publish(levels, undefined);
      if (ids.length > 0) inventoryEvents.publish({ type: "resolved", state: "expired", ids });
      return ids.length;
    },
  };
}

function moving<Tx>(desk: Desk<Tx>): Pick<Inventory<Tx>, "restock" | "adjust" | "setLowAt"> {
  return {
    async restock(movement, tx) {
      checkMovement(movement, 1);
      const { productId, quantity: delta, key } = movement;
      return desk.move({ productId, kind: "restock", delta, key }, tx);
    },
    async adjust(movement, tx) {
      checkMovement(movement, -Number.MAX_SAFE_INTEGER);
      const { productId, quantity: delta, key } = movement;
      return desk.move({ productId, kind: "adjust", delta, key }, tx);
    },
    async setLowAt(productId, lowAt, tx) {
      checkedText("productId", productId);
      const threshold = checkedWhole("lowAt", lowAt, [0, Number.MAX_SAFE_INTEGER]);
      return desk.settings.store.setLowAt(productId, threshold, tx);
    },
  };
}

function reading<Tx>({ store }: Settings<Tx>): Pick<Inventory<Tx>, "get" | "levels"> {
  return {
    async get(id, tx) {
      return store.get(checkedId("id", id), tx);
    },
    async levels(productIds) {
      return store.levels(checkedProducts(productIds));
    },
  };
}

interface Told {
  readonly decision: Decision;
  readonly strategy: Strategy;
}

const missing = { status: "missing", changed: false } as const;
const mostProducts = 1000;

function checkedProducts(productIds: readonly string[]): readonly string[] {
  if (!Array.isArray(productIds) || productIds.length > mostProducts) {
    throw new InvalidArgumentError("productIds", `at most ${mostProducts} ids`, productIds);
  }
  return [...new Set(productIds.map((id) => checkedText("productId", id)))];
}

function productsOf({ lines }: Wanted): readonly string[] {
  return lines.map(({ productId }) => productId);
}
