import type { Sql } from "@sluice/postgres";

import type { Level, MovementResult } from "../reservation.ts";
import type { BatchDecision, Decision, EndDecision, Wanted, WantedBatch, WantedEnd, WantedMovement } from "../store.ts";

/** The decisions that need the lock of a product, as PL/pgSQL or as statements one after the other. */
export interface Routines {
  /** Whether several statements make one decision, so that they need a transaction around them. */
  readonly needTransaction: boolean;
  reserve(sql: Sql, wanted: Wanted): Promise<Decision>;
  reserveBatch(sql: Sql, batch: WantedBatch): Promise<BatchDecision>;
  end(sql: Sql, wanted: WantedEnd): Promise<EndDecision>;
  move(sql: Sql, wanted: WantedMovement): Promise<MovementResult>;
}

/** A level as SQL answers it. */
export interface LevelRow {
  readonly product: string;
  readonly available: number;
  readonly version: number;
}

export function levelsOf(rows: readonly LevelRow[] | null): readonly Level[] {
  return (rows ?? []).map(levelOf);
}

export function levelOf({ product: productId, available, version }: LevelRow): Level {
  return { productId, available, version };
}

/** What a movement came to. */
export function movementOf(outcome: string, level: Level): MovementResult {
  switch (outcome) {
    case "applied":
    case "duplicate":
    case "refused":
      return { status: outcome, level };
    case "unknown_product":
      return { status: "unknown_product" };
    default:
      return { status: "conflict" };
  }
}

/** Codes of the decisions on a batch. */
export const codes = {
  reserved: 1,
  duplicate: 2,
  soldOut: 3,
  conflict: 4,
  confirmed: 5,
  released: 6,
  expired: 7,
  unknownProduct: 8,
} as const;

/** What a code means for one of a batch. */
export interface BatchFacts {
  readonly productId: string;
  readonly available: number;
  /** The deadline of this reservation, as far as there is one. */
  readonly expiresAtMs: number;
}

export function decisionOf(code: number, { productId, available, expiresAtMs }: BatchFacts): Decision {
  switch (code) {
    case codes.reserved:
      return { outcome: "reserved", expiresAtMs, levels: [] };
    case codes.duplicate:
      return { outcome: "duplicate", expiresAtMs };
    case codes.soldOut:
      return { outcome: "sold_out", productId, available };
    case codes.confirmed:
      return { outcome: "confirmed" };
    case codes.released:
      return { outcome: "released" };
    case codes.expired:
      return { outcome: "expired" };
    case codes.unknownProduct:
      return { outcome: "unknown_product", productId };
    default:
      return { outcome: "conflict" };
  }
}
