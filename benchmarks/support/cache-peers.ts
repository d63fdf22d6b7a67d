import KeyvRedis from "@keyv/redis";
import { BentoCache, bentostore } from "bentocache";
import { memoryDriver } from "bentocache/drivers/memory";
import { redisDriver } from "bentocache/drivers/redis";
import { createCache as createManager, type Cache as Manager } from "cache-manager";
import { Redis as Ioredis } from "ioredis";
import { Keyv } from "keyv";

/** What the benchmarks ask of a cache. */
export interface Peer {
  get(key: string, load: () => Promise<unknown>): Promise<unknown>;
  set(key: string, value: unknown): Promise<unknown>;
  /** What the peer offers to invalidate one key. */
  remove(key: string): Promise<unknown>;
  /** What the peer offers to invalidate everything under a prefix. */
  clear(): Promise<unknown>;
  close(): Promise<unknown>;
}

const ttlMs = 600_000;

/** bentocache with one store in memory. */
export function bentoInMemory(maxItems: number): Peer {
  const store = bentostore().useL1Layer(memoryDriver({ maxItems }));
  return bentoPeer(new BentoCache({ default: "memory", stores: { memory: store } }));
}

const neverResends = { maxRetriesPerRequest: null, autoResendUnfulfilledCommands: false };

/** bentocache on Redis alone. */
export function bentoOnRedis(
  url: string,
  options: Partial<typeof neverResends> = neverResends,
): Peer & { readonly client: Ioredis } {
  const client = new Ioredis(url, options);
  client.on("error", () => {});
  const store = bentostore().useL2Layer(redisDriver({ connection: client }));
  const peer = bentoPeer(new BentoCache({ default: "redis", prefix: "bento", stores: { redis: store } }));
  return { ...peer, client, close: async () => client.disconnect() };
}

function bentoPeer(cache: BentoCache<Record<string, ReturnType<typeof bentostore>>>): Peer {
  return {
    get: (key, load) => cache.getOrSet({ key, ttl: ttlMs, factory: load }),
    set: (key, value) => cache.set({ key, value, ttl: ttlMs }),
    remove: (key) => cache.delete({ key }),
    clear: () => cache.clear(),
    close: () => cache.disconnectAll(),
  };
}

/** cache-manager in memory, or on Redis. */
export function manager(url?: string): Peer {
  const cache: Manager = url === undefined ? createManager() : createManager({ stores: [keyvOn(url)] });
  return {
    get: (key, load) => cache.wrap(key, load, ttlMs),
    set: (key, value) => cache.set(key, value, ttlMs),
    remove: (key) => cache.del(key),
    clear: () => cache.clear(),
    close: () => cache.disconnect(),
  };
}

function keyvOn(url: string) {
  return new Keyv({ store: new KeyvRedis(url), namespace: "manager" });
}
