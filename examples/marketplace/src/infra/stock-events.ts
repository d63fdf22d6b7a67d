import type { Meter } from "@opentelemetry/api";
import { inventoryEvents } from "@sluice/inventory";

import type { Log } from "../http/log.ts";

/**
 * Counts purchases by what came of them, and logs what is wrong with stock.
 *
 * @returns ends it.
 */
export function watchStock(meter: Meter, log: Log): () => void {
  const outcomes = meter.createCounter("stock_reservations", { description: "Reservations by what came of them" });
  const resolved = meter.createCounter("stock_resolutions", { description: "Reservations by how they ended" });
  const drifts = meter.createCounter("stock_hint_drifts", { description: "Hints in Redis that were set right" });
  return inventoryEvents.subscribe((event) => {
    if (event.type === "reserved") outcomes.add(1, { outcome: "reserved", strategy: event.strategy });
    else if (event.type === "sold-out") outcomes.add(1, { outcome: "sold_out", certainty: event.certainty });
    else if (event.type === "resolved") resolved.add(event.ids.length, { state: event.state });
    else if (event.type === "drift") drifts.add(1);
    else if (event.type === "degraded") log.warn({ part: event.part, err: event.error }, "Stock goes on without Redis");
    else if (event.type === "reap-failed") log.warn({ err: event.error }, "Expired orders could not be ended yet");
    else if (event.type === "violation") log.error({ product_id: event.productId }, "Stock contradicts its movements");
  });
}
