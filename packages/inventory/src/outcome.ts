import { inventoryEvents, type Strategy } from "./events.ts";
import type { ReserveResult } from "./reservation.ts";
import type { Decision } from "./store.ts";

/** A store's decision as the caller reads it. */
export function resultOf(id: string, decision: Decision): ReserveResult {
  const { outcome } = decision;
  if (outcome === "reserved" || outcome === "duplicate") {
    return { status: outcome, id, expiresAtMs: decision.expiresAtMs };
  }
  if (outcome === "sold_out") {
    const { productId, available } = decision;
    return { status: "sold_out", id, productId, available, certainty: "verified" };
  }
  if (outcome === "unknown_product") return { status: "unknown_product", id, productId: decision.productId };
  if (outcome === "conflict") return { status: "conflict", id };
  return { status: "already_resolved", id, state: outcome };
}

/** Tells listeners what came of a request. */
export function announce(result: ReserveResult, strategy: Strategy): void {
  if (result.status === "reserved") inventoryEvents.publish({ type: "reserved", id: result.id, strategy });
  if (result.status !== "sold_out") return;
  const { productId, certainty } = result;
  inventoryEvents.publish({ type: "sold-out", productId, certainty });
}
