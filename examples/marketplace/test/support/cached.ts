import { connectRedis } from "@sluice/redis/ioredis";
import { findRedis, launchRedis, type LaunchedRedis } from "@sluice/testing/services";
import { expect, onTestFinished } from "vitest";

import { startMarketplace, type Answer, type TestMarketplace } from "./marketplace.ts";

/** A store that is waited for: tests share their processors. */
export const patient = { CACHE_DEADLINE_MS: "10000" };

/** A Redis of a test's own. */
export async function ownRedis(): Promise<LaunchedRedis> {
  const binary = await findRedis();
  if (binary === undefined) throw new Error("There is no redis-server on this machine.");
  const server = await launchRedis({ binary });
  onTestFinished(() => server.stop());
  return server;
}

/** A marketplace for the length of a test. */
export async function started(
  databaseUrl: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<TestMarketplace> {
  const market = await startMarketplace({ databaseUrl, environment });
  onTestFinished(() => market[Symbol.asyncDispose]());
  return market;
}

/** The keys of a Redis that begin so. */
export async function keysOf(url: string, prefix: string): Promise<string[]> {
  await using redis = connectRedis({ url, deadlineMs: 5000 });
  const [, keys] = (await redis.read("SCAN", ["0", "MATCH", `${prefix}*`, "COUNT", "10000"])) as [string, string[]];
  return keys.toSorted();
}

/** Reads until the cache answers, and gives what it answered. */
export async function warmed(market: Pick<TestMarketplace, "get">, path: string): Promise<Answer> {
  let answer = await market.get(path);
  const again = async (): Promise<string | null> => xCacheOf((answer = await market.get(path)));
  await expect.poll(again, { timeout: 10_000, message: path }).toBe("HIT");
  return answer;
}

/** Where an answer came from. */
export function xCacheOf({ headers }: Pick<Answer, "headers">): string | null {
  return headers.get("x-cache");
}

/** The statements that a marketplace with `SLOW_QUERY_MS=0` has sent, but for its look at the outbox. */
export function statements({ log }: TestMarketplace): string[] {
  return log.lines
    .filter(({ message }) => message === "Slow query")
    .map(({ query }) => String(query))
    .filter((query) => !query.includes("cache_outbox"));
}
