/** How many units of one product. */
export interface Line {
  /** 1 to 200 characters. */
  readonly productId: string;
  /** A whole number from 1 to 2 147 483 647. */
  readonly quantity: number;
}

/** What somebody wants to hold. */
export interface ReserveRequest {
  /** A UUID that the caller chose. Asking again with the same one is safe, and the way to learn what became of it. */
  readonly id: string;
  /** 1 to 1000. Lines of one product are added up. All are held, or none. */
  readonly lines: readonly Line[];
  /** How long the hold lasts, in ms. Default: `reservationTtlMs`. */
  readonly ttlMs?: number;
  /** Kept with the reservation, up to 200 characters: the number of an order, never a secret. */
  readonly reference?: string;
  /** A reservation of the same buyer to let go of if this one succeeds, so that nobody is in their own way. */
  readonly replaces?: string;
  /**
   * The id was made for this call and was never asked for before, so a hint may answer that the product is sold out
   * without PostgreSQL being asked. Default `false`: a hint cannot know what an earlier attempt has reserved.
   */
  readonly fresh?: boolean;
}

/** Where a reservation stands. */
export type ReservationState = "open" | "confirmed" | "released" | "expired";

/** What became of a request. Values, never errors: an error would end the caller's transaction. */
export type ReserveResult =
  /** The units are held until the deadline, a moment of the database's clock in ms since the epoch. */
  | { readonly status: "reserved"; readonly id: string; readonly expiresAtMs: number }
  /** An earlier attempt with this id and these lines holds them. */
  | { readonly status: "duplicate"; readonly id: string; readonly expiresAtMs: number }
  /** Nothing is held. A `hint` is at most as old as the latch or the counter in Redis, and never asked PostgreSQL. */
  | {
      readonly status: "sold_out";
      readonly id: string;
      readonly productId: string;
      readonly available: number;
      readonly certainty: "verified" | "hint";
    }
  /** The id belongs to a reservation of other lines. Nothing was done. */
  | { readonly status: "conflict"; readonly id: string }
  /** An earlier attempt with this id has been confirmed, released or has expired. Nothing was done. */
  | { readonly status: "already_resolved"; readonly id: string; readonly state: Exclude<ReservationState, "open"> }
  | { readonly status: "unknown_product"; readonly id: string; readonly productId: string }
  /** The optimistic strategy gave up: others were faster each time. Nothing is held. */
  | { readonly status: "contended"; readonly id: string };

/** Whoever reserves: the inventory with its row lock, its optimistic strategy, or a flash lane. They mix freely. */
export interface Reserver {
  /** Holds units of one or more products, all or none, until a deadline. */
  reserve(request: ReserveRequest): Promise<ReserveResult>;
}

/** What became of a reservation that was to end. */
export interface Resolution {
  readonly id: string;
  /** `late`: it was to be confirmed after its deadline. `missing`: there is none, or it was purged. */
  readonly status: Exclude<ReservationState, "open"> | "late" | "missing";
  /** Whether this call has changed it. */
  readonly changed: boolean;
}

/** What became of an extension. */
export type Extension =
  | { readonly status: "extended"; readonly id: string; readonly expiresAtMs: number }
  /** It has ended, its deadline has passed, or there is none. */
  | { readonly status: Exclude<ReservationState, "open"> | "late" | "missing"; readonly id: string };

/** Units that come or go other than by a sale. */
export interface Movement {
  readonly productId: string;
  /** A whole number. For `restock` from 1; for `adjust` not 0. */
  readonly quantity: number;
  /** Names this movement, 1 to 200 characters: with the same key it happens once. */
  readonly key: string;
}

/** What became of a movement. */
export type MovementResult =
  | { readonly status: "applied" | "duplicate"; readonly level: Level }
  /** The key belongs to another movement. Nothing was done. */
  | { readonly status: "conflict" }
  /** Fewer units would be on hand than are reserved, or more than 2^53 - 1. Nothing was done. */
  | { readonly status: "refused"; readonly level: Level }
  | { readonly status: "unknown_product" };

/** How much of a product can be had. */
export interface Level {
  readonly productId: string;
  readonly available: number;
  /** Grows with every change: of two levels, the one with the greater version is newer. */
  readonly version: number;
}

/** A level with its parts. `available` is `onHand - reserved`. */
export interface StockLevel extends Level {
  readonly onHand: number;
  readonly reserved: number;
  /** The alert comes when no more than this is available. */
  readonly lowAt: number;
  /** When the database was asked, by its own clock, in ms since the epoch. */
  readonly asOfMs: number;
}

/** A reservation as it is kept. */
export interface Reservation {
  readonly id: string;
  readonly state: ReservationState;
  readonly lines: readonly Line[];
  readonly expiresAtMs: number;
  readonly reference: string | undefined;
}

/** A threshold that was crossed, written in the transaction that crossed it. */
export interface StockEvent {
  /** Grows, though not always in the order of the commits. */
  readonly seq: number;
  readonly kind: "low_stock" | "back_in_stock";
  readonly productId: string;
  readonly available: number;
  readonly version: number;
}

/** A product whose numbers contradict each other. There are none, unless somebody wrote to the tables. */
export interface Violation {
  readonly productId: string;
  readonly onHand: number;
  /** What the movements add up to. */
  readonly moved: number;
  readonly reserved: number;
  /** What the open reservations add up to. */
  readonly open: number;
}

/** Rows that were moved or deleted. Ask again until all are 0. */
export interface Purged {
  readonly movements: number;
  readonly reservations: number;
  /** Thresholds that were crossed and never delivered. */
  readonly events: number;
}
