import { eventChannel, type EventChannel } from "@sluice/core";

import type { ReservationState, Violation } from "./reservation.ts";

/** What happens to stock, on the channel `sluice:inventory`. */
export type InventoryEvent =
  | { readonly type: "reserved"; readonly id: string; readonly strategy: Strategy }
  | { readonly type: "sold-out"; readonly productId: string; readonly certainty: "verified" | "hint" }
  | { readonly type: "resolved"; readonly state: Exclude<ReservationState, "open">; readonly ids: readonly string[] }
  /** A confirmation came after the deadline. */
  | { readonly type: "late-confirm"; readonly id: string }
  | {
      readonly type: "moved";
      readonly kind: "restock" | "adjust";
      readonly productId: string;
      readonly quantity: number;
    }
  /** What a batch of the flash lane did. */
  | {
      readonly type: "batch";
      readonly productId: string;
      readonly size: number;
      readonly reserved: number;
      readonly durationMs: number;
      /** What waits behind it, in all lanes. */
      readonly waiting: number;
    }
  /** The counter in Redis let somebody in whom PostgreSQL refused. */
  | { readonly type: "admission-refused"; readonly productId: string }
  /** The lock or the admission could not be asked, and the work goes on without. */
  | { readonly type: "degraded"; readonly part: "lock" | "admission"; readonly error: unknown }
  | { readonly type: "recovered"; readonly part: "admission" }
  /** A hint said something else than PostgreSQL, and was set right. */
  | { readonly type: "drift"; readonly productId: string; readonly hint: number; readonly available: number }
  /** A pass of the reaper failed. It tries again. */
  | { readonly type: "reap-failed"; readonly error: unknown }
  | ({ readonly type: "violation" } & Violation);

/** By which way a reservation came. */
export type Strategy = "gate" | "dual" | "optimistic";

/** The events of this package. They name products and reservations: put no secret into an id. */
export const inventoryEvents: EventChannel<InventoryEvent> = eventChannel<InventoryEvent>("sluice:inventory");
