import type {
  Extension,
  Level,
  Line,
  MovementResult,
  Purged,
  Reservation,
  ReservationState,
  StockEvent,
  StockLevel,
  Violation,
} from "./reservation.ts";

/** A request that was checked: lines are distinct by product, and sorted. */
export interface Wanted {
  readonly id: string;
  readonly lines: readonly Line[];
  readonly ttlMs: number;
  readonly reference: string | undefined;
  readonly replaces: string | undefined;
}

/** What a store decided, and what is available of the products that it changed. */
export type Decision =
  | { readonly outcome: "reserved"; readonly expiresAtMs: number; readonly levels: readonly Level[] }
  | { readonly outcome: "duplicate"; readonly expiresAtMs: number }
  | { readonly outcome: "sold_out"; readonly productId: string; readonly available: number }
  | { readonly outcome: "unknown_product"; readonly productId: string }
  | { readonly outcome: "conflict" | "confirmed" | "released" | "expired" };

/** Reservations of one product, of distinct ids, in the order in which they are to be granted. */
export interface WantedBatch {
  readonly productId: string;
  readonly ttlMs: number;
  readonly requests: readonly WantedUnits[];
}

/** One of a batch. */
export interface WantedUnits {
  readonly id: string;
  readonly quantity: number;
}

/** What was decided on a batch. */
export interface BatchDecision {
  /** In the order of the requests. Those that were reserved have no levels. */
  readonly decisions: readonly Decision[];
  /** After the batch. `undefined` when there is no such product. */
  readonly level: Level | undefined;
}

/** What a confirmation does after the deadline; see `lateConfirm`. */
export type LateConfirm = "reject" | "if-held" | "reacquire";

/** Reservations that are to end. Ids are distinct. */
export interface WantedEnd {
  readonly ids: readonly string[];
  readonly to: Exclude<ReservationState, "open">;
  readonly late: LateConfirm;
  readonly reason: string | undefined;
}

/** What became of them, in the order of the ids. */
export interface EndDecision {
  readonly ends: readonly {
    readonly status: Exclude<ReservationState, "open"> | "late" | "missing";
    readonly changed: boolean;
  }[];
  readonly levels: readonly Level[];
}

/** Units that come or go. */
export interface WantedMovement {
  readonly productId: string;
  readonly kind: "restock" | "adjust";
  readonly delta: number;
  readonly key: string;
}

/** A part of all products, in the order of their ids. */
export interface PageOf {
  /** Begins behind this one. `""`: at the beginning. */
  readonly after: string;
  readonly limit: number;
}

/**
 * Where stock lives. Each method is atomic. With `tx` it is a part of the caller's transaction; without, a transaction
 * of its own, for which a store throws `ERR_SLUICE_INVENTORY_UNAVAILABLE` when nothing was done for certain and
 * `ERR_SLUICE_INVENTORY_UNKNOWN` when it may have been.
 *
 * Stores take locks of products in the order of their ids, and before anything else.
 */
export interface InventoryStore<Tx> {
  /** Runs work in a transaction, and all of it again when it met a conflict. Errors come as they are. */
  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  reserve(wanted: Wanted, tx?: Tx): Promise<Decision>;
  /**
   * As `reserve`, in a transaction of its own, with what `onReserved` writes in it when the units are held. It waits for
   * a lock for a bounded time.
   */
  reserveWith(wanted: Wanted, onReserved: (tx: Tx) => Promise<void>): Promise<Decision>;
  /** As `reserve`, without waiting for anybody. `undefined`: somebody else was faster, and nothing was done. */
  reserveUnlessChanged(wanted: Wanted, tx?: Tx): Promise<Decision | undefined>;
  /** `onReserved` gets those that were reserved, in the transaction that has reserved them. */
  reserveBatch(
    batch: WantedBatch,
    onReserved?: (tx: Tx, reserved: readonly WantedUnits[]) => Promise<void>,
  ): Promise<BatchDecision>;
  end(wanted: WantedEnd, tx?: Tx): Promise<EndDecision>;
  /** Ends up to `limit` open reservations whose deadline has passed, unless another process is about it. */
  expire(limit: number): Promise<{ readonly ids: readonly string[]; readonly levels: readonly Level[] }>;
  extend(id: string, ms: number, tx?: Tx): Promise<Extension>;
  move(wanted: WantedMovement, tx?: Tx): Promise<MovementResult>;
  /** False when there is no such product. */
  setLowAt(productId: string, lowAt: number, tx?: Tx): Promise<boolean>;
  get(id: string, tx?: Tx): Promise<Reservation | undefined>;
  levels(productIds: readonly string[]): Promise<readonly StockLevel[]>;
  page(page: PageOf): Promise<readonly StockLevel[]>;
  lowStock(page: PageOf): Promise<readonly StockLevel[]>;
  violations(limit: number): Promise<readonly Violation[]>;
  /** Folds the movements of a page of products into their checkpoints. Returns the last product, if there was one. */
  checkpoint(page: PageOf): Promise<string | undefined>;
  /** Moves movements that a checkpoint covers and that are older out of the way. */
  archive(olderThanMs: number, limit: number): Promise<number>;
  /** Deletes what is older: archived movements, and reservations that have ended. */
  purge(olderThanMs: number, limit: number): Promise<Purged>;
  /** Hands up to `limit` events to `handle` and deletes them in the same transaction. Returns how many. */
  deliver(limit: number, handle: (tx: Tx, events: readonly StockEvent[]) => Promise<void>): Promise<number>;
}
