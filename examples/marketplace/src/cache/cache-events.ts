import type { Meter } from "@opentelemetry/api";
import { cacheEvents, type Cache, type CacheEvent } from "@sluice/cache";

import type { Log } from "../http/log.ts";

/**
 * Counts reads by what answered them, shows the hit ratio of each scope, and logs what becomes of the store.
 *
 * @returns ends it.
 */
export function watchCache(meter: Meter, cache: Pick<Cache, "health">, log: Log): () => void {
  watchHealth(meter, cache);
  const reads = meter.createCounter("cache_reads", { description: "Reads of the cache by what answered them" });
  const invalidations = meter.createCounter("cache_invalidations", {
    description: "Targets that were invalidated, and those that the store could not be told of yet",
  });
  const failures = meter.createCounter("cache_store_failures", { description: "Outages of the cache's store" });
  return cacheEvents.subscribe((event) => {
    if (event.type === "read") reads.add(1, { scope: event.scope, outcome: event.outcome });
    else if (event.type === "invalidated") invalidations.add(event.targets, { outcome: "applied" });
    else if (event.type === "invalidation-queued") invalidations.add(1, { outcome: "queued" });
    else if (event.type === "store-failed") failures.add(1);
    logChange(event, log);
  });
}

function watchHealth(meter: Meter, cache: Pick<Cache, "health">): void {
  const ratio = meter.createObservableGauge("cache_hit_ratio", {
    description: "Part of the reads of the last five minutes that the cache answered",
  });
  const healthy = meter.createObservableGauge("cache_healthy", {
    description: "0 while a scope that is read often answers less than 85 % of its reads",
  });
  meter.addBatchObservableCallback(
    (result) => {
      for (const health of cache.health()) {
        result.observe(ratio, health.hitRatio, { scope: health.scope });
        result.observe(healthy, health.healthy ? 1 : 0, { scope: health.scope });
      }
    },
    [ratio, healthy],
  );
}

function logChange(event: CacheEvent, log: Log): void {
  if (event.type === "store-failed") log.warn({ err: event.error }, "The cache's store does not answer");
  else if (event.type === "store-recovered") log.info({}, "The cache's store answers again");
  else if (event.type === "hit-ratio-low") {
    log.warn({ scope: event.scope, ratio: event.ratio, reads: event.reads }, "The cache answers too few reads");
  } else if (event.type === "outbox-failed" || event.type === "outbox-refused") {
    log.warn({ err: event.error }, "The cache's outbox could not be delivered");
  }
}
