import type { Redis, Reply } from "@sluice/redis";

import type { CartBounds, CartLines, CartStore } from "../store.ts";
import { changeScript } from "./scripts.generated.ts";

/** Carts in Redis, a hash each: `HGETALL cart:<user>` shows what is in it. Every call is one round trip. */
export function redisCarts(redis: Redis, { ttlMs, mostLines }: CartBounds): CartStore {
  return {
    read: async (userId) => linesOf(await redis.read("HGETALL", [keyOf(userId)])),
    async change(userId, { lines, anew }) {
      const args = [ttlMs, mostLines, anew ? 1 : 0, ...[...lines].flat()];
      const reply = await redis.run(changeScript, { keys: [keyOf(userId)], args });
      return reply === 0 ? undefined : linesOf(reply);
    },
  };
}

function keyOf(userId: string): string {
  return `cart:${userId}`;
}

/** A field that is no quantity is of a release that knows more, and stays where it is. */
function linesOf(reply: Reply): CartLines {
  if (!Array.isArray(reply)) throw new TypeError("Redis answered no cart");
  const lines = new Map<string, number>();
  for (let place = 0; place < reply.length; place += 2) {
    const quantity = String(reply[place + 1]);
    if (/^[1-9]\d{0,8}$/.test(quantity)) lines.set(String(reply[place]), Number(quantity));
  }
  return lines;
}
