import type { Redis } from "@sluice/redis";

/** The server's time in ms since the epoch. One round trip. */
export async function serverMs(redis: Redis): Promise<number> {
  const [seconds, microseconds] = (await redis.read("TIME", [])) as readonly string[];
  return Number(seconds) * 1000 + Number(microseconds) / 1000;
}
