// One limit over Redis, each caller with a decision of its own: ours against the bare script, and against
// rate-limiter-flexible's fixed window.
import { once } from "node:events";

import { byUser, createRateLimiter, window } from "@sluice/rate-limit";
import { redisStore } from "@sluice/rate-limit/redis";
import type { Redis } from "@sluice/redis";
import { connectRedis } from "@sluice/redis/ioredis";
import { startRedis } from "@sluice/testing/services";
import { Redis as Ioredis } from "ioredis";
import { RateLimiterRedis } from "rate-limiter-flexible";

import { bareCall } from "./support/bare-call.ts";
import { interleaved, type Call, type Measured } from "./support/interleaved.ts";

const quick = process.argv.includes("--quick");
const extent = quick ? { rounds: 15, roundMs: 60 } : { rounds: 61, roundMs: 120 };
const deadlineMs = 5000;
const most = 1_000_000_000;
const subjects = Array.from({ length: 1000 }, (_, index) => byUser(`user-${index}`));
const subjectOf = (number: number) => subjects[number % subjects.length] ?? byUser("nobody");

function limiterOn(redis: Redis) {
  const policies = { browse: window({ limit: most, per: "1m" }) };
  return createRateLimiter({ store: redisStore(redis, { deadlineMs }), policies, onStoreError: "deny" });
}

await using server = await startRedis({ origin: "local" });
// Both with ioredis' own options, as people use it. With a deadline per command, which ours has, they take a tenth longer.
const client = new Ioredis(server.url, { connectionName: "bare" });
const peerClient = new Ioredis(server.url, { connectionName: "peer" });
await Promise.all([once(client, "ready"), once(peerClient, "ready")]);
await using redis = connectRedis({ url: server.url, role: "bench", deadlineMs });
const limiter = limiterOn(redis);
const bare = await bareCall(
  client,
  redis,
  async (port) => void (await limiterOn(port).consume("browse", subjectOf(0))),
);
const flexible = new RateLimiterRedis({ storeClient: peerClient, points: most, duration: 60 });
const sides = {
  ours: ((number) => limiter.consume("browse", subjectOf(number))) satisfies Call,
  limit: ((number) => bare(subjectOf(number).key)) satisfies Call,
  "rate-limiter-flexible": ((number) => flexible.consume(subjectOf(number).key)) satisfies Call,
};

const results: Record<string, Measured> = {};
for (const inFlight of [1, 64, 512]) results[`@${inFlight}`] = await interleaved(sides, { ...extent, inFlight });
const of = (name: string) =>
  Object.fromEntries(Object.entries(results).map(([depth, { perSecond }]) => [depth, perSecond[name]]));
const ratio = (depth: string, name: string) => results[depth]?.ratios[name];
if (quick) console.log(`quick: ${extent.rounds} rounds of ${extent.roundMs} ms each`);
const ratios = {
  limit: ratio("@1", "limit"),
  "limit@64": ratio("@64", "limit"),
  "limit@512": ratio("@512", "limit"),
  "rate-limiter-flexible": ratio("@1", "rate-limiter-flexible"),
  "rate-limiter-flexible@64": ratio("@64", "rate-limiter-flexible"),
  "rate-limiter-flexible@512": ratio("@512", "rate-limiter-flexible"),
};
const peers = { "rate-limiter-flexible": of("rate-limiter-flexible") };
console.log(JSON.stringify({ bench: "rate-limit-redis", ours: of("ours"), limit: of("limit"), peers, ratios }));
client.disconnect();
peerClient.disconnect();
