import { eventChannel, type EventChannel } from "@sluice/core";

/** Who or what decided. */
export type Via = "store" | "lease" | "deny-cache" | "local" | "open" | "off" | "exempt";

/** What happens to limits, on the channel `sluice:rate-limit`. */
export type RateLimitEvent =
  /** A call was decided. In shadow mode `allowed` is what the limits said, and the call went through. */
  | {
      readonly type: "decision";
      readonly policy: string;
      /** Where the subject is kept. */
      readonly key: string;
      readonly cost: number;
      readonly allowed: boolean;
      readonly via: Via;
      readonly retryAfterMs: number;
      readonly shadow: boolean;
    }
  /** The store failed and `onStoreError` decided. */
  | {
      readonly type: "store-error";
      readonly policy: string;
      readonly action: "allow" | "deny" | "local";
      readonly error: unknown;
    }
  /** A refund, a settlement, a release or a renewal did not reach the store. What was spent stands. */
  | { readonly type: "correction-lost"; readonly policy: string; readonly error: unknown }
  /** A memory store is full of live subjects: new ones share their counts. Once per shared count. */
  | { readonly type: "memory-full"; readonly field: string; readonly maxSubjects: number };

/** The events of this package. */
export const rateLimitEvents: EventChannel<RateLimitEvent> = eventChannel<RateLimitEvent>("sluice:rate-limit");
