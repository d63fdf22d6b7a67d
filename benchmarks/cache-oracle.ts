// Reads and writes, 95 to 5, of rows by a Zipf distribution, with a flush of everything once a second, in three caches
// on one Redis, as three processes have them. An oracle counts what is read that a completed invalidation had ended
// before the read began. No copies in the processes, as those may lag behind by design.
import { createCache, pathKey } from "@sluice/cache";
import { redisStore } from "@sluice/cache/redis";
import { seededRandom, sleep, systemClock } from "@sluice/core";
import { connectRedis } from "@sluice/redis/ioredis";
import { startRedis } from "@sluice/testing/services";

import { bentoOnRedis, manager } from "./support/cache-peers.ts";
import { rounded } from "./support/interleaved.ts";
import { StaleOracle, type Versioned } from "./support/stale-oracle.ts";
import { zipf } from "./support/zipf.ts";

const quick = process.argv.includes("--quick");
const secondsEach = quick ? 3.5 : 60;
const turns = quick ? 2 : 20;
const rows = 500;
const members = 3;
const readersEach = 8;
const deadlineMs = 5000;
const [writeShare, flushEveryMs] = [0.05, 1000];

/** One process's cache, whatever it is. */
interface Member {
  get(id: number): Promise<unknown>;
  remove(id: number): Promise<unknown>;
  flush(): Promise<unknown>;
}

/** What is measured: its caches, and the oracle over them. */
interface Side {
  readonly members: readonly Member[];
  readonly oracle: StaleOracle;
}

/** Reads a row at one moment of a load that takes a while. */
async function loadFrom(oracle: StaleOracle, id: number): Promise<Versioned> {
  oracle.loads += 1;
  await sleep(systemClock, 1);
  const row = oracle.row(id);
  await sleep(systemClock, 2);
  return row;
}

function sideOf(memberOf: (oracle: StaleOracle) => Member): Side {
  const oracle = new StaleOracle(rows);
  return { oracle, members: Array.from({ length: members }, () => memberOf(oracle)) };
}

function oursOn(url: string, closing: AsyncDisposableStack): (oracle: StaleOracle) => Member {
  return (oracle) => {
    const redis = closing.use(connectRedis({ url, role: "bench", deadlineMs }));
    const store = redisStore(redis, { deadlineMs, invalidationDeadlineMs: deadlineMs });
    const cache = closing.use(createCache({ store }));
    const scope = cache.scope<number, Versioned>("rows", {
      prefix: "v1:rows",
      key: pathKey<number>(),
      ttl: "10m",
      load: (id) => loadFrom(oracle, id),
    });
    return {
      get: (id) => scope.get(id),
      remove: (id) => cache.invalidate([scope.entry(id)], { strict: true }),
      flush: () => cache.flush("v1:rows:", { strict: true }),
    };
  };
}

function peerOn(
  peerOf: () => ReturnType<typeof manager>,
  closing: AsyncDisposableStack,
): (oracle: StaleOracle) => Member {
  return (oracle) => {
    const peer = closing.adopt(peerOf(), async (one) => void (await one.close()));
    return {
      get: (id) => peer.get(`rows:${id}`, () => loadFrom(oracle, id)),
      remove: (id) => peer.remove(`rows:${id}`),
      flush: () => peer.clear(),
    };
  };
}

/** Lets a side work for a while. Every side makes its choices from the same seed. */
async function run({ oracle, members: caches }: Side, seed: number, ms: number): Promise<void> {
  const random = seededRandom(seed);
  const draw = zipf(random, rows);
  const untilMs = performance.now() + ms;
  const work = async (cache: Member): Promise<void> => {
    while (performance.now() < untilMs) {
      const id = draw();
      if (random.float() < writeShare) await oracle.write(id, () => cache.remove(id));
      else await oracle.read(id, () => cache.get(id));
    }
  };
  const flushing = async (cache: Member | undefined): Promise<void> => {
    for (let atMs = flushEveryMs / 2; atMs < ms; atMs += flushEveryMs) {
      await sleep(systemClock, Math.max(0, untilMs - ms + atMs - performance.now()));
      await oracle.flush(async () => cache?.flush());
    }
  };
  await Promise.all([
    ...caches.flatMap((cache) => Array.from({ length: readersEach }, () => work(cache))),
    flushing(caches[0]),
  ]);
}

await using closing = new AsyncDisposableStack();
const { url } = closing.use(await startRedis({ origin: "local" }));
const sides: Readonly<Record<string, Side>> = {
  ours: sideOf(oursOn(url, closing)),
  bentocache: sideOf(peerOn(() => bentoOnRedis(url), closing)),
  "cache-manager": sideOf(peerOn(() => manager(url), closing)),
};
for (let turn = 0; turn < turns; turn += 1) {
  for (const side of Object.values(sides)) await run(side, turn, (secondsEach * 1000) / turns);
}
const summary = (name: string) => {
  const { reads = 0, stale = 0, loads = 0 } = sides[name]?.oracle ?? {};
  return { stale, reads, loads, hitRatio: rounded(1 - loads / reads) };
};
const ours = summary("ours");
const peers = { bentocache: summary("bentocache"), "cache-manager": summary("cache-manager") };
const label = quick ? "quick: " : "";
console.log(`${label}${secondsEach} s for each side in ${turns} turns, with a flush every ${flushEveryMs} ms`);
console.log(
  JSON.stringify({
    bench: "cache-oracle",
    stale: ours.stale,
    ours,
    peers,
    ratios: {
      bentocache: rounded(ours.reads / peers.bentocache.reads),
      "cache-manager": rounded(ours.reads / peers["cache-manager"].reads),
    },
  }),
);
