import { onTestFinished } from "vitest";

import { rateLimitEvents, type RateLimitEvent } from "../src/index.ts";

/** What `sluice:rate-limit` tells during this test. */
export function heard(): RateLimitEvent[] {
  const events: RateLimitEvent[] = [];
  onTestFinished(rateLimitEvents.subscribe((event) => events.push(event)));
  return events;
}
