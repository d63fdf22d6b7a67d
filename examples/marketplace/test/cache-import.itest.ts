import { connect } from "node:net";
import { text } from "node:stream/consumers";

import { describeNeeding } from "@sluice/testing/vitest";
import { expect, it } from "vitest";

import { ownRedis, patient, started, warmed, xCacheOf } from "./support/cached.ts";
import { seededDatabase, type TestMarketplace } from "./support/marketplace.ts";
import { facts } from "./support/pair.ts";
import { registerAdmin, registerSeller, send } from "./support/people.ts";

const rows = 10_000;
const rowsAtOnce = 500;
const cached = 600;
const search = "/api/public/listings/search?limit=5";
const list = (price: number) => `/api/products?min_price=${price}&limit=5`;

/** What a Redis says of itself. The port of clients is for keys. */
async function infoOf(url: string, section: string): Promise<string> {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  socket.end(`INFO ${section}\r\nQUIT\r\n`);
  return text(socket);
}

/** How often each command was run, also by scripts. */
async function commandsOf(url: string): Promise<ReadonlyMap<string, number>> {
  const all = [...(await infoOf(url, "commandstats")).matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)];
  return new Map(all.map(([, name = "", calls]) => [name, Number(calls)]));
}

async function keysOf(url: string): Promise<number> {
  return Number(/keys=(\d+)/.exec(await infoOf(url, "keyspace"))?.[1]);
}

/** Caches as many lists as there are prices. */
async function fill(market: TestMarketplace): Promise<void> {
  const prices = Array.from({ length: cached }, (_, price) => price).values();
  const reader = async (): Promise<void> => {
    for (const price of prices) await market.get(list(price));
  };
  await Promise.all(Array.from({ length: 16 }, reader));
}

describeNeeding({ redis: "real" }, "a bulk import of ten thousand rows into a full cache", () => {
  it(
    "costs Redis one command per transaction, however much is cached, and ends all of it",
    { timeout: 60_000 },
    async () => {
      const { url } = await ownRedis();
      const market = await started(await seededDatabase(), {
        ...patient,
        CACHE_REDIS_URL: url,
        DEFAULT_CACHE_TTL_SECONDS: "600",
      });
      const [seller, { access_token: token }] = [await registerSeller(market), await registerAdmin(market)];
      await fill(market);
      await warmed(market, search);
      const keys = await keysOf(url);
      expect(keys).toBeGreaterThan(cached);

      const before = await commandsOf(url);
      const line = `${JSON.stringify({ ...facts, seller_id: seller.shop })}\n`;
      const headers = { "content-type": "application/x-ndjson" };
      const path = "/api/admin/products/bulk-import";
      const answer = await send(market, ["POST", path], { token, headers, body: line.repeat(rows) });
      expect(answer.body.data).toMatchObject({ imported: rows });
      const after = await commandsOf(url);
      const counts = [...after].map(([name, calls]) => [name, calls - (before.get(name) ?? 0)] as const);
      const used = Object.fromEntries(counts.filter(([name, calls]) => calls > 0 && !/^(info|quit)$/.test(name)));
      console.log(`${keys} keys, ${rows} rows: ${JSON.stringify(used)}`);
      // Two flushes in one command. A relay may deliver once more what has just been committed.
      const transactions = rows / rowsAtOnce;
      expect(used["evalsha"]).toBeGreaterThanOrEqual(transactions);
      expect(used["evalsha"]).toBeLessThan(2 * transactions);
      expect(used["set"]).toBeGreaterThanOrEqual(2 * transactions);
      expect(used["set"]).toBeLessThan(4 * transactions);
      // Nothing looks for keys, and nothing removes any: what was stored is unreadable, and goes by its own time.
      const flushing = new Set(["eval", "evalsha", "time", "set", "publish"]);
      expect(Object.keys(used).filter((name) => !flushing.has(name))).toEqual([]);
      expect(await keysOf(url)).toBeGreaterThanOrEqual(keys);

      for (const price of [0, 1, 300, cached - 1])
        expect([price, xCacheOf(await market.get(list(price)))]).toEqual([price, "MISS"]);
      expect(xCacheOf(await market.get(search))).toBe("HIT");
    },
  );
});
