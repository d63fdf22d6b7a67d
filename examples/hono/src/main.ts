import { once } from "node:events";
import type { AddressInfo } from "node:net";

import { serve } from "@hono/node-server";
import { getConnInfo } from "@hono/node-server/conninfo";
import { createCache, paramsKey } from "@sluice/cache";
import { cacheGuard, queryOf } from "@sluice/cache/http";
import { redisStore as cachesIn } from "@sluice/cache/redis";
import { errors, guard } from "@sluice/hono";
import { createRateLimiter, window } from "@sluice/rate-limit";
import { rateLimitGuard } from "@sluice/rate-limit/http";
import { redisStore as countsIn } from "@sluice/rate-limit/redis";
import { connectRedis } from "@sluice/redis/ioredis";
import { Hono } from "hono";

const url = process.env["REDIS_URL"];
const redis = url ? connectRedis(url) : undefined;
const cache = createCache(redis ? { store: cachesIn(redis) } : {});
const limiter = createRateLimiter({
  ...(redis ? { store: countsIn(redis) } : {}),
  policies: { browse: window({ limit: 20, per: "1m" }) },
});

/** What a reply depends on: for its key, and for its handler. */
const cityOf = (request: { url: string }): string => String(queryOf(request)["city"] ?? "Lagos");
const limited = rateLimitGuard({ limiter, policy: "browse", stage: "address" });
const cached = cacheGuard({
  cache,
  name: "weather",
  prefix: "v1:weather",
  key: paramsKey<{ city: string }>(),
  params: (request) => ({ city: cityOf(request) }),
  ttl: "1m",
  freshness: { maxAge: "5s" },
});

/** What a database would take its time for. */
function forecast(city: string): object {
  return { city, celsius: 20 + (city.length % 10), askedAt: new Date().toISOString() };
}

const app = new Hono();
errors(app);
app.use(guard(limited, { connInfo: getConnInfo }));
app.get("/weather", guard(cached), (c) => c.json(forecast(cityOf(c.req))));

const server = serve({ fetch: app.fetch, port: Number(process.env["PORT"] ?? 3000), hostname: "127.0.0.1" });
await once(server, "listening");
console.log(`Listening on http://127.0.0.1:${(server.address() as AddressInfo).port}/weather?city=Lagos`);

async function stop(): Promise<void> {
  server.close();
  await once(server, "close");
  await cache.close();
  await redis?.close();
}
process.once("SIGTERM", () => void stop());
