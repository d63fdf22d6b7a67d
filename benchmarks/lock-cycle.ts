// Acquire and release of different keys, ours against redlock and against SET NX plus one script; and how long a lock
// takes from one process's release to another's hands.
import { once } from "node:events";

import { sleep, systemClock } from "@sluice/core";
import { createLocks } from "@sluice/lock";
import { redisStore } from "@sluice/lock/redis";
import { connectRedis } from "@sluice/redis/ioredis";
import { startRedis } from "@sluice/testing/services";
import { Redis as Ioredis } from "ioredis";
import Redlock from "redlock";

import { interleaved, median, rounded, type Call } from "./support/interleaved.ts";

const quick = process.argv.includes("--quick");
const extent = quick ? { rounds: 15, roundMs: 60 } : { rounds: 41, roundMs: 150 };
const leaseMs = 10_000;
const release = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0";

interface Clients {
  readonly url: string;
  readonly bare: Ioredis;
}

/** What one cannot do without: a SET NX, and a script that compares and deletes. */
async function bareCycle({ bare }: Clients): Promise<Call> {
  const sha1 = String(await bare.script("LOAD", release));
  return async (number) => {
    const key = `bare:${number % 1000}:${number}`;
    await bare.set(key, "owner", "PX", leaseMs, "NX");
    await bare.evalsha(sha1, 1, key, "owner");
  };
}

function redlockCycle({ bare }: Clients): Call {
  // Its types know clients of older releases only.
  const client: unknown = bare;
  const redlock = new Redlock([client as Redlock.CompatibleRedisClient], { retryCount: 0 });
  return async (number) => {
    const lock = await redlock.lock(`redlock:${number}`, leaseMs);
    await lock.unlock();
  };
}

/** Time from one's release to another's acquisition, in ms. */
async function handOvers({ url }: Clients, count: number): Promise<number> {
  await using one = connectRedis(url);
  await using other = connectRedis(url);
  const sides = [one, other].map((redis) => createLocks({ store: redisStore(redis), leaseMs, waitMs: 60_000 }));
  const [first, second] = sides;
  const took: number[] = [];
  let held = await first?.acquire("contended");
  for (let turn = 0; turn < count; turn += 1) {
    const waiting = (turn % 2 === 0 ? second : first)?.acquire("contended");
    // The waiter has been refused and listens.
    await sleep(systemClock, 5);
    const startedMs = performance.now();
    const releasing = held?.release();
    held = await waiting;
    took.push(performance.now() - startedMs);
    await releasing;
  }
  await held?.release();
  return median(took);
}

/** What a hand-over cannot do without: a message that arrives, and a script. */
async function bareHandOver({ url, bare }: Clients, count: number): Promise<number> {
  const subscriber = new Ioredis(url);
  await subscriber.subscribe("handover");
  const sha1 = String(await bare.script("LOAD", release));
  const took: number[] = [];
  for (let turn = 0; turn < count; turn += 1) {
    await sleep(systemClock, 5);
    const arrived = once(subscriber, "message");
    const startedMs = performance.now();
    const publishing = bare.publish("handover", "free");
    await arrived;
    await bare.evalsha(sha1, 1, "handover:key", "owner");
    took.push(performance.now() - startedMs);
    await publishing;
  }
  subscriber.disconnect();
  return median(took);
}

const server = await startRedis({ origin: "local" });
try {
  const clients: Clients = { url: server.url, bare: new Ioredis(server.url) };
  await once(clients.bare, "ready");
  await using redis = connectRedis({ url: server.url, role: "bench", deadlineMs: 5000 });
  const locks = createLocks({ store: redisStore(redis, { deadlineMs: 5000 }), leaseMs });
  const ours: Call = async (number) => {
    const held = await locks.acquire(`ours:${number}`);
    await held.release();
  };
  const limit = await bareCycle(clients);
  const redlock = redlockCycle(clients);
  const alone = await interleaved({ ours, limit }, { ...extent, inFlight: 1 });
  const many = await interleaved({ ours, redlock, limit }, { ...extent, inFlight: 64 });
  const turns = quick ? 200 : 1000;
  const [ownMs, bareMs] = [await handOvers(clients, turns), await bareHandOver(clients, turns)];
  if (quick) console.log(`quick: ${extent.rounds} rounds of ${extent.roundMs} ms each`);
  console.log(`hand-over p50: ${rounded(ownMs / bareMs)} x a message plus one script`);
  const ratios = {
    "limit@1": alone.ratios["limit"],
    "redlock@64": many.ratios["redlock"],
    "limit@64": many.ratios["limit"],
    handover: rounded(bareMs / ownMs),
  };
  const perSecond = { "@1": alone.perSecond, "@64": many.perSecond };
  const line = {
    bench: "lock-cycle",
    ours: { "@1": perSecond["@1"]["ours"], "@64": perSecond["@64"]["ours"] },
    limit: { "@1": perSecond["@1"]["limit"], "@64": perSecond["@64"]["limit"] },
    peers: { "redlock@64": perSecond["@64"]["redlock"] },
    ratios,
  };
  console.log(JSON.stringify(line));
  clients.bare.disconnect();
} finally {
  await server.stop();
}
