import { createHash } from "node:crypto";
import { once } from "node:events";

import { createCoalescer, type RedisConnection, type Script } from "@sluice/redis";
import { connectRedis } from "@sluice/redis/ioredis";
import { startRedis, startRedisCluster } from "@sluice/testing/services";
import { Cluster, Redis as Ioredis } from "ioredis";

// One write per entry through the coalescer, against one EVALSHA each on a client that has what ours guarantees: a
// deadline per call, no resend, and an end to a server that hangs.
const source = "return redis.call('INCRBY', KEYS[1], ARGV[1])";
const script: Script = { name: "count", source, sha1: createHash("sha1").update(source).digest("hex"), keys: 1 };

const quick = process.argv.includes("--quick");
// Many short rounds: what else the machine does then hits both sides alike.
const rounds = quick ? 25 : 81;
const roundMs = quick ? 30 : 80;
const warmUpRounds = 2;
const compileMs = 250;
// One call after the other makes few calls: its code takes longer to be compiled.
const compileAloneMs = 1500;
const deadlineMs = 5000;
const safe = {
  maxRetriesPerRequest: null,
  autoResendUnfulfilledCommands: false,
  commandTimeout: deadlineMs,
  socketTimeout: 1500,
};

type Call = (key: string) => Promise<unknown>;
type Sides<T> = Readonly<Record<"ours" | "limit", T>>;

/** Calls of a round, the time it took, and the processor time of this process, in microseconds. */
interface Round {
  readonly perSecond: number;
  readonly cpuMicros: number;
}

/** `inFlight` loops, each with its next call after its last. */
async function round(call: Call, inFlight: number, ms = roundMs): Promise<Round> {
  const cpu = process.cpuUsage();
  const startedMs = performance.now();
  const untilMs = startedMs + ms;
  let calls = 0;
  async function loop(worker: number): Promise<void> {
    while (performance.now() < untilMs) {
      await call(`count:${(calls + worker) % 1000}`);
      calls += 1;
    }
  }
  await Promise.all(Array.from({ length: inFlight }, (_, worker) => loop(worker)));
  const seconds = (performance.now() - startedMs) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { perSecond: calls / seconds, cpuMicros: (user + system) / calls };
}

/** Both sides in turn, round by round, first one side first, then the other. */
async function interleaved(calls: Sides<Call>, depth: number): Promise<Sides<Round[]>> {
  const measured: Sides<Round[]> = { ours: [], limit: [] };
  for (let number = -warmUpRounds; number < rounds; number += 1) {
    const order = number % 2 === 0 ? (["ours", "limit"] as const) : (["limit", "ours"] as const);
    for (const side of order) {
      const one = await round(calls[side], depth);
      if (number >= 0) measured[side].push(one);
    }
  }
  return measured;
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;
}

interface Figures {
  readonly ours: Record<string, number>;
  readonly limit: Record<string, number>;
  readonly ratios: Record<string, number>;
  /** Processor time of this process per call in microseconds, which other programs disturb less than the rate. */
  readonly cpuMicros: Record<string, Sides<number>>;
}

async function measure(calls: Sides<Call>, depths: readonly number[]): Promise<Figures> {
  const figures: Figures = { ours: {}, limit: {}, ratios: {}, cpuMicros: {} };
  // Both sides compiled before anything is measured.
  for (const depth of depths) {
    for (const side of [calls.ours, calls.limit]) await round(side, depth, depth === 1 ? compileAloneMs : compileMs);
  }
  for (const depth of depths) {
    const { ours, limit } = await interleaved(calls, depth);
    const each = ours.map(({ perSecond }, index) => perSecond / (limit[index]?.perSecond ?? Number.NaN));
    const cpu = (side: readonly Round[]): number => rounded(median(side.map(({ cpuMicros }) => cpuMicros)), 1);
    figures.ours[`@${depth}`] = rounded(median(ours.map(({ perSecond }) => perSecond)), 0);
    figures.limit[`@${depth}`] = rounded(median(limit.map(({ perSecond }) => perSecond)), 0);
    figures.ratios[`limit@${depth}`] = rounded(median(each), 2);
    figures.cpuMicros[`@${depth}`] = { ours: cpu(ours), limit: cpu(limit) };
  }
  return figures;
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

function coalesced(redis: RedisConnection): Call {
  const coalescer = createCoalescer({ redis, script, deadlineMs });
  return (key) => coalescer.run({ keys: [key], args: [1] });
}

async function onOneServer(): Promise<Figures> {
  await using server = await startRedis({ origin: "local" });
  const client = new Ioredis(server.url, { ...safe, connectionName: "limit" });
  await once(client, "ready");
  await client.call("SCRIPT", ["LOAD", source]);
  await using redis = connectRedis({ url: server.url, role: "bench", deadlineMs });
  const limit: Call = (key) => client.evalsha(script.sha1, 1, key, 1);
  const figures = await measure({ ours: coalesced(redis), limit }, [1, 64, 512]);
  client.disconnect();
  return figures;
}

/** Keys of a thousand slots: no two entries share a script, only a write to their node. */
async function onCluster(): Promise<Figures> {
  await using cluster = await startRedisCluster({ masters: 3, replicas: 0 });
  const nodes = cluster.nodes.map(({ port }) => ({ host: "127.0.0.1", port }));
  const client = new Cluster(nodes, { redisOptions: safe, retryDelayOnFailover: 0 });
  await once(client, "ready");
  for (const node of client.nodes("master")) await node.call("SCRIPT", ["LOAD", source]);
  await using redis = connectRedis({ cluster: nodes, role: "bench", deadlineMs });
  const limit: Call = (key) => client.evalsha(script.sha1, 1, key, 1);
  const figures = await measure({ ours: coalesced(redis), limit }, [64, 512]);
  client.disconnect();
  return figures;
}

const { ours, limit, ratios, cpuMicros } = await onOneServer();
const cluster = await onCluster();
if (quick) console.log(`quick: ${rounds} rounds of ${roundMs} ms each`);
console.log(JSON.stringify({ bench: "redis-coalesce", ours, limit, peers: {}, ratios, cpuMicros, cluster }));
