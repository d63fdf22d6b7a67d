// Two limits at once, as logins have them: ours in one round trip, all or nothing, against rate-limiter-flexible's
// union, which spends at one limit what another denies.
import { once } from "node:events";

import { byIp, createRateLimiter, window } from "@sluice/rate-limit";
import { redisStore } from "@sluice/rate-limit/redis";
import type { Redis } from "@sluice/redis";
import { connectRedis } from "@sluice/redis/ioredis";
import { startRedis } from "@sluice/testing/services";
import { Redis as Ioredis } from "ioredis";
import { RateLimiterRedis, RateLimiterUnion } from "rate-limiter-flexible";

import { bareCall } from "./support/bare-call.ts";
import { interleaved, type Call } from "./support/interleaved.ts";

const quick = process.argv.includes("--quick");
const extent = quick ? { rounds: 25, roundMs: 60, inFlight: 64 } : { rounds: 81, roundMs: 120, inFlight: 64 };
const deadlineMs = 5000;
const subjects = Array.from({ length: 1000 }, (_, index) => byIp(`198.51.100.${index % 250}:${index}`));
const subjectOf = (number: number) => subjects[number % subjects.length] ?? byIp(undefined);

interface Limits {
  readonly minute: number;
  readonly hour: number;
}

const endless: Limits = { minute: 100_000_000, hour: 100_000_000 };
const login: Limits = { minute: 10, hour: 30 };

function limiterOn(redis: Redis, { minute, hour }: Limits) {
  const limits = [
    window({ name: "auth-min", limit: minute, per: "1m" }),
    window({ name: "auth-hour", limit: hour, per: "1h" }),
  ];
  const store = redisStore(redis, { deadlineMs });
  return createRateLimiter({ store, policies: { auth: limits }, onStoreError: "deny", denyCache: 0 });
}

function unionOn(storeClient: Ioredis, { minute, hour }: Limits) {
  const perMinute = new RateLimiterRedis({ storeClient, keyPrefix: "auth-min", points: minute, duration: 60 });
  const perHour = new RateLimiterRedis({ storeClient, keyPrefix: "auth-hour", points: hour, duration: 3600 });
  return { union: new RateLimiterUnion(perMinute, perHour), perHour };
}

/** What 100 calls of one client burn of its hour although they are denied, at 10 a minute and 30 an hour. */
async function burnt(redis: Redis, client: Ioredis): Promise<Record<"ours" | "rate-limiter-flexible", number>> {
  const subject = byIp("203.0.113.7");
  const limiter = limiterOn(redis, login);
  const { union, perHour } = unionOn(client, login);
  const passed = { ours: 0, flexible: 0 };
  for (let call = 0; call < 100; call += 1) {
    passed.ours += (await limiter.consume("auth", subject)).allowed ? 1 : 0;
    passed.flexible += await union.consume(subject.key).then(
      () => 1,
      () => 0,
    );
  }
  const { counters } = await limiter.inspect(subject);
  const ours = counters.find(({ name }) => name === "auth-hour")?.spent ?? Number.NaN;
  const flexible = (await perHour.get(subject.key))?.consumedPoints ?? Number.NaN;
  return { ours: ours - passed.ours, "rate-limiter-flexible": flexible - passed.flexible };
}

await using server = await startRedis({ origin: "local" });
// Both with ioredis' own options, as people use it: without the deadline per command that ours has.
const peerClient = new Ioredis(server.url, { connectionName: "peer" });
const bareClient = new Ioredis(server.url, { connectionName: "bare" });
await Promise.all([once(peerClient, "ready"), once(bareClient, "ready")]);
await using redis = connectRedis({ url: server.url, role: "bench", deadlineMs });
const limiter = limiterOn(redis, endless);
const { union } = unionOn(peerClient, endless);
const bare = await bareCall(bareClient, redis, async (port) => {
  await limiterOn(port, endless).consume("auth", subjectOf(0));
});
const sides = {
  ours: ((number) => limiter.consume("auth", subjectOf(number))) satisfies Call,
  limit: ((number) => bare(subjectOf(number).key)) satisfies Call,
  "rate-limiter-flexible": ((number) => union.consume(subjectOf(number).key)) satisfies Call,
};

const { perSecond, ratios } = await interleaved(sides, extent);
const burntByDenials = await burnt(redis, peerClient);
if (quick) console.log(`quick: ${extent.rounds} rounds of ${extent.roundMs} ms each`);
console.log(`quota of the hour burnt by denials, of 100 calls at 10 a minute: ${JSON.stringify(burntByDenials)}`);
const { ours, limit, ...peers } = perSecond;
console.log(JSON.stringify({ bench: "rate-limit-multi", ours, limit, peers, ratios, burntByDenials }));
peerClient.disconnect();
bareClient.disconnect();
