import { createHash } from "node:crypto";
import { once } from "node:events";

import { createCoalescer, type Script } from "@sluice/redis";
import { connectRedis } from "@sluice/redis/ioredis";
import { startRedis } from "@sluice/testing/services";
import { Redis as Ioredis } from "ioredis";

// One write per entry through the coalescer, against one EVALSHA each on a client with the same options.
const source = "return redis.call('INCRBY', KEYS[1], ARGV[1])";
const script: Script = { name: "count", source, sha1: createHash("sha1").update(source).digest("hex"), keys: 1 };

const quick = process.argv.includes("--quick");
// Many short rounds: what else the machine does then hits both sides alike.
const rounds = quick ? 41 : 81;
const roundMs = quick ? 40 : 80;
const warmUp = 2;
const depths = [1, 64, 512];

type Call = (key: string) => Promise<unknown>;

/** Calls per second of `inFlight` loops, each with its next call after its last. */
async function rate(call: Call, inFlight: number, ms = roundMs): Promise<number> {
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
  return calls / ((performance.now() - startedMs) / 1000);
}

type Sides<T> = Readonly<Record<"ours" | "limit", T>>;

/** Both rates in turn, round by round, first one side first, then the other. */
async function interleaved(calls: Sides<Call>, depth: number): Promise<Sides<number[]>> {
  const measured: Sides<number[]> = { ours: [], limit: [] };
  for (let round = -warmUp; round < rounds; round += 1) {
    const order = round % 2 === 0 ? (["ours", "limit"] as const) : (["limit", "ours"] as const);
    for (const side of order) {
      const perSecond = await rate(calls[side], depth);
      // What comes before round 0 warms up.
      if (round >= 0) measured[side].push(perSecond);
    }
  }
  return measured;
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;
}

const server = await startRedis({ origin: "local" });
try {
  const client = new Ioredis(server.url, {
    connectionName: "limit",
    maxRetriesPerRequest: null,
    autoResendUnfulfilledCommands: false,
    commandTimeout: 15_000,
    socketTimeout: 1500,
    retryStrategy: () => 50,
  });
  await once(client, "ready");
  await client.call("SCRIPT", ["LOAD", source]);
  await using redis = connectRedis({ url: server.url, role: "bench", deadlineMs: 5000 });
  const coalescer = createCoalescer({ redis, script, deadlineMs: 5000 });
  const ours: Call = (key) => coalescer.run({ keys: [key], args: [1] });
  const limit: Call = (key) => client.evalsha(script.sha1, 1, key, 1);

  const results = { ours: {} as Record<string, number>, limit: {} as Record<string, number> };
  const ratios: Record<string, number> = {};
  // Both sides compiled before anything is measured.
  for (const depth of [...depths, 1]) for (const side of [ours, limit]) await rate(side, depth, 500);
  for (const depth of depths) {
    const measured = await interleaved({ ours, limit }, depth);
    results.ours[`@${depth}`] = Math.round(median(measured.ours));
    results.limit[`@${depth}`] = Math.round(median(measured.limit));
    const each = measured.ours.map((one, round) => one / (measured.limit[round] ?? Number.NaN));
    ratios[`limit@${depth}`] = Number(median(each).toFixed(2));
  }
  if (quick) console.log(`quick: ${rounds} rounds of ${roundMs} ms each`);
  console.log(JSON.stringify({ bench: "redis-coalesce", ...results, peers: {}, ratios }));
  client.disconnect();
} finally {
  await server.stop();
}
