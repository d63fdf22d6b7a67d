// How long a flush takes of a prefix with few entries and with many: ours, one script of the same writes on a bare
// client, and what the peers offer for it. Ours has all sizes on one server, and flushes go round them: what else the
// machine does hits them alike. Peers clear all that they have, so each of theirs has a server of its own.
import { once } from "node:events";

import { createCache, pathKey, type Cache, type CacheScope } from "@sluice/cache";
import { redisStore } from "@sluice/cache/redis";
import { connectRedis } from "@sluice/redis/ioredis";
import { startRedis } from "@sluice/testing/services";
import { Redis as Ioredis } from "ioredis";

import { bentoOnRedis, manager, type Peer } from "./support/cache-peers.ts";
import { median, rounded } from "./support/interleaved.ts";

const quick = process.argv.includes("--quick");
const sizes = quick ? [1000, 5000, 30_000] : [1000, 10_000, 100_000, 1_000_000];
const [smallest = 0, largest = 0] = [sizes[0], sizes.at(-1)];
const rounds = quick ? 30 : 200;
const flushesPerRound = 10;
const atOnce = 2000;
const deadlineMs = 10_000;
const bareFlush = "redis.call('SET', KEYS[1], ARGV[1], 'PX', 60000) return redis.call('PUBLISH', ARGV[2], KEYS[1])";

/** A prefix with entries. */
interface Filled {
  readonly flush: () => Promise<unknown>;
  readonly scope: CacheScope<number, number>;
}

/** Calls `work` with every number below a size, so many at once. */
async function inBatches(size: number, work: (numbers: readonly number[]) => Promise<unknown>): Promise<void> {
  for (let from = 0; from < size; from += atOnce) {
    await work(Array.from({ length: Math.min(atOnce, size - from) }, (_, index) => from + index));
  }
}

/** Fills a prefix by reading what is not there yet. */
async function filled(cache: Cache, size: number): Promise<Filled> {
  const scope = cache.scope<number, number>(`feed-${size}`, {
    prefix: `v1:feed-${size}`,
    key: pathKey<number>(),
    ttl: "1h",
    maxLoads: atOnce,
    load: (id) => id,
  });
  await inBatches(size, (ids) => scope.getMany(ids));
  return { scope, flush: () => cache.flush(`v1:feed-${size}:`) };
}

/** How long each of some calls takes, in ms: the median. */
async function timed(count: number, call: () => Promise<unknown>): Promise<number> {
  const took: number[] = [];
  for (let turn = 0; turn < count; turn += 1) {
    const startedMs = performance.now();
    await call();
    took.push(performance.now() - startedMs);
  }
  return median(took);
}

/** One round over all sizes; afterwards every entry must be loaded anew. */
async function oneRound(all: ReadonlyMap<number, Filled>, isForward: boolean): Promise<Map<number, number>> {
  const took = new Map<number, number>();
  for (const [size, { flush, scope }] of isForward ? all : [...all].toReversed()) {
    const { loads } = scope.stats();
    took.set(size, await timed(flushesPerRound, flush));
    await scope.get(size - 1);
    if (scope.stats().loads !== loads + 1) throw new Error("A flush has left something.");
  }
  return took;
}

/** How long a peer takes to clear so many entries, in ms. */
async function peerAt(size: number, peerOf: (url: string) => Peer): Promise<number> {
  await using server = await startRedis({ origin: "local" });
  const peer = peerOf(server.url);
  const took: number[] = [];
  for (let turn = 0; turn < (size === largest ? 1 : 3); turn += 1) {
    await inBatches(size, (ids) => Promise.all(ids.map((id) => peer.set(`feed:${id}`, id))));
    took.push(await timed(1, () => peer.clear()));
  }
  await peer.close();
  return median(took);
}

async function peerCurve(peerOf: (url: string) => Peer): Promise<Record<number, number>> {
  const curve: Record<number, number> = {};
  for (const size of sizes) curve[size] = rounded(await peerAt(size, peerOf));
  return curve;
}

await using server = await startRedis({ origin: "local" });
await using redis = connectRedis({ url: server.url, role: "bench", deadlineMs });
await using cache = createCache({ store: redisStore(redis, { deadlineMs, invalidationDeadlineMs: deadlineMs }) });
const bare = new Ioredis(server.url);
await once(bare, "ready");
const all = new Map<number, Filled>();
for (const size of sizes) all.set(size, await filled(cache, size));
if ((await bare.dbsize()) < sizes.reduce((sum, size) => sum + size, 0)) throw new Error("Entries are missing.");
const sha1 = String(await bare.script("LOAD", bareFlush));

const ours: Map<number, number>[] = [];
const limit: number[] = [];
await oneRound(all, true);
for (let round = 0; round < rounds; round += 1) {
  ours.push(await oneRound(all, round % 2 === 0));
  limit.push(await timed(flushesPerRound, () => bare.evalsha(sha1, 1, "{feed}:bare", `token-${round}`, "bare")));
}
const at = (size: number): number[] => ours.map((took) => took.get(size) ?? Number.NaN);
const peers = { bentocache: await peerCurve((url) => bentoOnRedis(url)), "cache-manager": await peerCurve(manager) };

const ownMs = median(at(largest));
const ratios = {
  flat: rounded(median(ours.map((took) => (took.get(smallest) ?? 0) / (took.get(largest) ?? 0)))),
  limit: rounded(median(at(largest).map((tookMs, round) => (limit[round] ?? 0) / tookMs))),
  bentocache: rounded((peers.bentocache[largest] ?? 0) / ownMs),
  "cache-manager": rounded((peers["cache-manager"][largest] ?? 0) / ownMs),
};
if (quick) console.log(`quick: ${rounds} rounds, and ${largest} entries at most instead of 1000000`);
console.log("all numbers but the ratios are ms per flush, by the number of entries");
console.log(
  JSON.stringify({
    bench: "cache-flush",
    ours: Object.fromEntries(sizes.map((size) => [size, rounded(median(at(size)))])),
    limit: rounded(median(limit)),
    peers,
    ratios,
  }),
);
bare.disconnect();
