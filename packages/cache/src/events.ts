import { eventChannel, traceChannel, type EventChannel, type TraceChannel } from "@sluice/core";

/** Where the value of a read came from. */
export type ReadOutcome =
  /** A copy in this process. */
  | "l1"
  /** The store. */
  | "hit"
  /** A record past its time that may still be served. */
  | "stale"
  /** A load of this caller. */
  | "miss"
  /** A load that another caller began. */
  | "coalesced"
  /** A load because the cache is switched off. */
  | "bypass"
  /** A load because the store cannot be asked or trusted. */
  | "degraded"
  /** Nothing: the load failed. */
  | "failed";

/** Why a loaded value was not stored. */
export type StoreSkipped = "lease" | "store-error" | "tags-moved" | "too-large" | "ttl-0" | "undefined";

/** What happens in caches, on the channel `sluice:cache`. */
export type CacheEvent =
  /** A read has ended. */
  | { readonly type: "read"; readonly scope: string; readonly outcome: ReadOutcome; readonly durationMs: number }
  /** A loaded value was handed out and not stored. */
  | { readonly type: "store-skipped"; readonly scope: string; readonly reason: StoreSkipped }
  /** A stored record could not be used: cut off, foreign, or packed in a way that this process cannot read. */
  | { readonly type: "record-refused"; readonly scope: string; readonly reason: "damaged" | "foreign" | "packing" }
  /** A generation was absent and made anew. Many of these: the store evicts generations. */
  | { readonly type: "generation-minted"; readonly scope: string }
  /** A reload in the background failed. */
  | { readonly type: "refresh-failed"; readonly scope: string; readonly error: unknown }
  /** Targets were invalidated in the store. */
  | { readonly type: "invalidated"; readonly targets: number; readonly durationMs: number }
  /** An invalidation did not reach the store. It is repeated until it does. */
  | { readonly type: "invalidation-queued"; readonly queued: number; readonly error: unknown }
  /** Invalidations of the last seconds were sent again, because the store may have lost them. */
  | {
      readonly type: "invalidations-replayed";
      readonly targets: number;
      readonly reason: "reconnect" | "lost" | "retry";
    }
  /** So many invalidations wait that single ones were replaced by a flush of their prefix. */
  | { readonly type: "journal-overflow"; readonly dropped: number }
  /** The relay of an outbox could not deliver. It tries again. */
  | { readonly type: "outbox-failed"; readonly error: unknown }
  /** A row of an outbox was not one, and was removed. */
  | { readonly type: "outbox-refused"; readonly id: string; readonly error: unknown }
  /** The store could not be asked. Once per outage. */
  | { readonly type: "store-failed"; readonly error: unknown }
  /** The store answers again. */
  | { readonly type: "store-recovered" }
  /** Copies in this process are not used, as announcements may have been missed. */
  | { readonly type: "l1-distrusted" }
  /** Reads of a scope are answered by the cache less often than they should be. Once per half minute while so. */
  | { readonly type: "hit-ratio-low"; readonly scope: string; readonly ratio: number; readonly reads: number }
  /** They are answered often enough again. */
  | { readonly type: "hit-ratio-recovered"; readonly scope: string; readonly ratio: number };

/** A load, on the channel `sluice:cache:load`. */
export interface LoadTrace {
  readonly scope: string;
  /** Why it runs. */
  readonly reason: "miss" | "refresh" | "bypass" | "degraded" | "wait-over";
}

/** The events of this package. */
export const cacheEvents: EventChannel<CacheEvent> = eventChannel<CacheEvent>("sluice:cache");

/** The loads of this package. */
export const loadTraces: TraceChannel<LoadTrace> = traceChannel<LoadTrace>("sluice:cache:load");
