// Redis is dead: what each get then costs on top of its load, from the first moment on at which no get waits for Redis
// any more, and how long after its restart the first value comes from there again. Peers have their clients' defaults,
// and a bound after which they are waited for no longer.
import { createCache, pathKey } from "@sluice/cache";
import { redisStore } from "@sluice/cache/redis";
import { sleep, systemClock } from "@sluice/core";
import { connectRedis } from "@sluice/redis/ioredis";
import { findRedis, launchRedis, type LaunchedRedis } from "@sluice/testing/services";

import { bentoOnRedis, manager, type Peer } from "./support/cache-peers.ts";
import { documentOf, type Document } from "./support/document.ts";
import { median, rounded } from "./support/interleaved.ts";

const quick = process.argv.includes("--quick");
const rounds = quick ? 2 : 10;
const outageMs = quick ? 1500 : 5000;
const peerBoundMs = quick ? 1500 : 30_000;
const bounds = { addedMs: 1, recoveryMs: 1500 };
const binary = (await findRedis()) ?? "redis-server";

/** What an outage is like. */
interface Outage {
  /** Of each get after the first that did not wait. */
  readonly addedMs: readonly number[];
  /** Of the longest of the gets before that. */
  readonly noticedMs: number;
  readonly recoveryMs: number;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}

async function loadOf(id: number): Promise<Document> {
  return documentOf(id);
}

/** What a load costs without any cache. */
async function bareLoadMs(): Promise<number> {
  const took: number[] = [];
  for (let id = 0; id < 10_000; id += 1) took.push(await timed(() => loadOf(id)));
  return median(took);
}

/** Reads while the server is away: how long each get took from the first quick one on. */
async function readingWithout(get: (id: number) => Promise<unknown>): Promise<Omit<Outage, "recoveryMs">> {
  const addedMs: number[] = [];
  let noticedMs = 0;
  const untilMs = performance.now() + outageMs;
  for (let id = 0; performance.now() < untilMs; id += 1) {
    const tookMs = await timed(() => get(id % 1000));
    if (addedMs.length > 0 || tookMs < bounds.addedMs) addedMs.push(tookMs);
    else noticedMs = Math.max(noticedMs, tookMs);
    // Connections are tried in between.
    if (id % 100 === 0) await sleep(systemClock, 1);
  }
  return { addedMs, noticedMs };
}

/** How long after the server is there again the first value comes from it. */
async function recovering(port: number, isBack: () => Promise<boolean>): Promise<[LaunchedRedis, number]> {
  let readyMs = Number.POSITIVE_INFINITY;
  const launching = launchRedis({ binary, port }).then((server) => {
    readyMs = performance.now();
    return server;
  });
  while (!(await isBack())) await sleep(systemClock, 2);
  const backMs = performance.now();
  const server = await launching;
  return [server, Math.max(0, backMs - readyMs)];
}

async function ours(): Promise<Outage[]> {
  let server = await launchRedis({ binary });
  const { port, url } = server;
  await using redis = connectRedis({ url, role: "bench" });
  await using cache = createCache({ store: redisStore(redis) });
  const scope = cache.scope<number, Document>("documents", {
    prefix: "documents",
    key: pathKey<number>(),
    ttl: "1h",
    load: loadOf,
  });
  const isBack = async (): Promise<boolean> => {
    const { hit } = scope.stats().reads;
    await scope.get(0);
    await scope.get(0);
    return scope.stats().reads.hit > hit;
  };
  const outages: Outage[] = [];
  for (let round = 0; round < rounds; round += 1) {
    while (!(await isBack())) await sleep(systemClock, 2);
    await server.stop();
    const outage = await readingWithout((id) => scope.get(id));
    let recoveryMs: number;
    [server, recoveryMs] = await recovering(port, isBack);
    outages.push({ ...outage, recoveryMs });
  }
  await server.stop();
  return outages;
}

/** What the first gets of a peer are like, whose server has died: their time, or that there was none within the bound. */
async function peerWithout(peerOf: (url: string) => Peer): Promise<{ answered: number; firstMs: number | null }> {
  const server = await launchRedis({ binary });
  const peer = peerOf(server.url);
  await peer.get("documents:0", () => loadOf(0));
  await server.stop();
  const took: (number | null)[] = [];
  const untilMs = performance.now() + peerBoundMs;
  for (let turn = 0; turn < 20 && performance.now() < untilMs; turn += 1) {
    const over = new AbortController();
    const late = sleep(systemClock, untilMs - performance.now(), over.signal).then(() => null);
    const answer = timed(() => peer.get("documents:0", () => loadOf(0))).catch(() => null);
    took.push(await Promise.race([answer, late.catch(() => null)]));
    over.abort();
  }
  // What still hangs in it would hold this process up.
  await Promise.race([peer.close().catch(() => {}), sleep(systemClock, 500)]);
  const answered = took.filter((ms) => ms !== null).length;
  return { answered, firstMs: took[0] === null || took[0] === undefined ? null : rounded(took[0]) };
}

const loadMs = await bareLoadMs();
const outages = await ours();
const added = outages.flatMap(({ addedMs }) => addedMs).toSorted((one, other) => one - other);
const at = (share: number): number => Math.max(0, (added[Math.floor(added.length * share)] ?? Number.NaN) - loadMs);
const meanMs = added.reduce((sum, ms) => sum + ms, 0) / added.length - loadMs;
const recoveryMs = Math.max(...outages.map((outage) => outage.recoveryMs));
const peers = {
  bentocache: await peerWithout((url) => bentoOnRedis(url, {})),
  "cache-manager": await peerWithout(manager),
};
if (quick) console.log(`quick: ${rounds} outages of ${outageMs} ms; peers are waited for ${peerBoundMs} ms`);
console.log("peers: how many of 20 gets were answered with a value within the bound, and how long the first took");
console.log(
  JSON.stringify({
    bench: "cache-down",
    ours: {
      addedMs: { mean: rounded(meanMs), p50: rounded(at(0.5)), p99: rounded(at(0.99)), max: rounded(at(1 - 1e-9)) },
      noticedMs: rounded(Math.max(...outages.map(({ noticedMs }) => noticedMs))),
      recoveryMs: rounded(recoveryMs),
    },
    bounds,
    peers,
    // How many times over the bounds are kept.
    ratios: { added: rounded(bounds.addedMs / meanMs), recovery: rounded(bounds.recoveryMs / recoveryMs) },
  }),
);
// Peers whose server is gone for good would try to reach it for as long as there is a process.
process.exit();
