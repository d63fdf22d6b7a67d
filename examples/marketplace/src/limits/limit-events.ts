import type { Meter } from "@opentelemetry/api";
import { rateLimitEvents } from "@sluice/rate-limit";

import type { Log } from "../http/log.ts";

/**
 * Counts decisions by tier, and those that an outage of the limiter's store let through.
 *
 * @returns ends it.
 */
export function watchLimits(meter: Meter, log: Log): () => void {
  const decisions = meter.createCounter("limiter_decisions", {
    description: "Requests that a limit let through or denied",
  });
  const failures = meter.createCounter("limiter_store_errors", {
    description: "Decisions without the limiter's store",
  });
  const open = meter.createCounter("limiter_fail_open", { description: "Requests that passed unlimited in an outage" });
  return rateLimitEvents.subscribe((event) => {
    if (event.type === "decision") decisions.add(1, { policy: event.policy, allowed: event.allowed, via: event.via });
    if (event.type !== "store-error") return;
    failures.add(1, { policy: event.policy, action: event.action });
    if (event.action === "allow") open.add(1, { policy: event.policy });
    log.debug({ policy: event.policy, action: event.action, err: event.error }, "The limiter's store failed");
  });
}
