// Stored values without copies in the process: ours against GET and JSON.parse on a bare client, and against
// bentocache on Redis. One read at a time, and 256.
import { once } from "node:events";

import { createCache, pathKey } from "@sluice/cache";
import { redisStore } from "@sluice/cache/redis";
import { connectRedis } from "@sluice/redis/ioredis";
import { startRedis } from "@sluice/testing/services";
import { Redis as Ioredis } from "ioredis";

import { bentoOnRedis, manager } from "./support/cache-peers.ts";
import { documentOf, type Document } from "./support/document.ts";
import { interleaved, type Call, type Measured } from "./support/interleaved.ts";

const quick = process.argv.includes("--quick");
const extent = quick ? { rounds: 21, roundMs: 50 } : { rounds: 61, roundMs: 120 };
const deadlineMs = 5000;
const keys = 1000;

await using server = await startRedis({ origin: "local" });
const client = new Ioredis(server.url, {
  maxRetriesPerRequest: null,
  autoResendUnfulfilledCommands: false,
  socketTimeout: 1500,
  commandTimeout: deadlineMs,
});
await once(client, "ready");
await using redis = connectRedis({ url: server.url, role: "bench", deadlineMs });
await using cache = createCache({ store: redisStore(redis, { deadlineMs }) });
const scope = cache.scope<number, Document>("documents", {
  prefix: "documents",
  key: pathKey<number>(),
  ttl: "1h",
  jitter: 0,
  load: documentOf,
});
const bento = bentoOnRedis(server.url);
const managed = manager(server.url);
const entries = Array.from({ length: keys }, (_, id) => scope.entry(id));
for (const [id, entry] of entries.entries()) {
  await entry.get();
  await client.set(`bare:${id}`, JSON.stringify(documentOf(id)));
  await bento.set(`documents:${id}`, documentOf(id));
  await managed.set(`documents:${id}`, documentOf(id));
}

const nothing = (): Promise<never> => Promise.reject(new Error("Everything is stored."));
const checked = (document: Document | undefined, id: number): void => {
  if (document?.id !== id) throw new Error(`There was another document in the place of ${id}.`);
};
const sides = {
  ours: (async (number) => checked(await entries[number % keys]?.get(), number % keys)) satisfies Call,
  limit: (async (number) => {
    const text = await client.get(`bare:${number % keys}`);
    checked(JSON.parse(text ?? "null") as Document, number % keys);
  }) satisfies Call,
  bentocache: (async (number) => {
    checked((await bento.get(`documents:${number % keys}`, nothing)) as Document, number % keys);
  }) satisfies Call,
  "cache-manager": (async (number) => {
    checked((await managed.get(`documents:${number % keys}`, nothing)) as Document, number % keys);
  }) satisfies Call,
};

const results: Record<string, Measured> = {};
for (const inFlight of [1, 256]) results[`@${inFlight}`] = await interleaved(sides, { ...extent, inFlight });
const { hit } = scope.stats().reads;
if (scope.stats().loads !== keys || hit < 1000) throw new Error("Not everything came from the store.");
const of = (name: string) =>
  Object.fromEntries(Object.entries(results).map(([depth, { perSecond }]) => [depth, perSecond[name]]));
const ratios = Object.fromEntries(
  Object.entries(results).flatMap(([depth, measured]) =>
    Object.entries(measured.ratios).map(([name, ratio]) => [`${name}${depth}`, ratio]),
  ),
);
if (quick) console.log(`quick: ${extent.rounds} rounds of ${extent.roundMs} ms each`);
const peers = { bentocache: of("bentocache"), "cache-manager": of("cache-manager") };
console.log(JSON.stringify({ bench: "cache-l2", ours: of("ours"), limit: of("limit"), peers, ratios }));
client.disconnect();
await bento.close();
await managed.close();
