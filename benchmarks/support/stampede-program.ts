// One process of a stampede: `<side> <url> <callers> <loadMs>`. Told a key, all its callers ask for that at once; the
// answer is how many loads ran here, and how long it took until the last had its value.
import { createCache, pathKey } from "@sluice/cache";
import { redisStore } from "@sluice/cache/redis";
import { sleep, systemClock } from "@sluice/core";
import { connectRedis } from "@sluice/redis/ioredis";

import { bentoOnRedis, manager } from "./cache-peers.ts";

/** What a process answers. */
export interface Stampeded {
  readonly loads: number;
  readonly tookMs: number;
}

const [side = "", url = "", callers = "0", loadMs = "0"] = process.argv.slice(2);
let loads = 0;

async function load(): Promise<string> {
  loads += 1;
  await sleep(systemClock, Number(loadMs));
  return "loaded";
}

function reader(): (key: string) => Promise<unknown> {
  if (side === "bentocache" || side === "cache-manager") {
    const peer = side === "bentocache" ? bentoOnRedis(url) : manager(url);
    return (key) => peer.get(key, () => load());
  }
  // A stampede is no moment to give up on the store after 50 ms: so many processes start on few cores.
  const deadlineMs = 5000;
  const redis = connectRedis({ url, role: "bench", deadlineMs });
  const cache = createCache({ store: redisStore(redis, { deadlineMs }) });
  const scope = cache.scope<string, string>("hot", { prefix: "hot", key: pathKey<string>(), ttl: "1h", load });
  return (key) => scope.get(key);
}

const read = reader();

async function stampede(key: string): Promise<void> {
  loads = 0;
  const startedMs = performance.now();
  const values = await Promise.all(Array.from({ length: Number(callers) }, () => read(key)));
  if (values.some((value) => value !== "loaded")) throw new Error("Somebody got something else.");
  process.send?.({ loads, tookMs: performance.now() - startedMs } satisfies Stampeded);
}

process.on("message", (key: string) => void stampede(key));
// Whatever it takes to connect is over before the first stampede.
await read("warm-up");
process.send?.("ready");
