import type { Line, ReservationState, StockEvent } from "../reservation.ts";

/** A row of a product. */
export interface Stock {
  onHand: number;
  reserved: number;
  lowAt: number;
  version: number;
}

/** A row of a reservation, with its lines. */
export interface Held {
  state: ReservationState;
  readonly lines: readonly Line[];
  dueMs: number;
  readonly reference: string | undefined;
  resolvedAt: number;
}

/** A row of the ledger. */
export interface Moved {
  readonly productId: string;
  readonly delta: number;
  readonly atMs: number;
  place: "new" | "covered" | "archived";
}

/** A row of the outbox. */
export interface Noted {
  readonly event: StockEvent;
  readonly atMs: number;
}

/** All of it: what a transaction that fails goes back to. */
export interface State {
  readonly stock: Map<string, Stock>;
  readonly reservations: Map<string, Held>;
  readonly movements: Map<string, Moved>;
  /** What purged movements added up to, by product. */
  readonly folded: Map<string, number>;
  readonly outbox: Noted[];
  seq: number;
}

export function createState(): State {
  return {
    stock: new Map(),
    reservations: new Map(),
    movements: new Map(),
    folded: new Map(),
    outbox: [],
    seq: 0,
  };
}
