import { expect } from "vitest";

import type { ContractCase } from "../case.ts";
import { Connection } from "../client/connection.ts";
import { Http2Client } from "../client/http2.ts";
import { encodeRequest, header, json, request, text } from "../client/request.ts";
import { cacheMark, get, send } from "../conformance/client.ts";
import { createShop } from "../conformance/shop.ts";
import { gate } from "./handlers.ts";

const ada = { user: "ada" };

/** The guard of `@sluice/cache`, before real routes. */
export const cachedCases: readonly ContractCase[] = [
  {
    title: "cache: answers the second GET from the cache, byte for byte, and runs no handler",
    async check({ listen }) {
      await using shop = createShop();
      const port = await listen(shop.app);
      const first = await get(port, "/products");
      await shop.clock.advance(3000);
      const again = await get(port, "/products");
      expect([cacheMark(first), cacheMark(again), shop.goods.reads]).toEqual(["MISS", "HIT", 1]);
      expect(text(again)).toBe(text(first));
      expect(header(again, "content-type")).toBe(header(first, "content-type"));
      expect(header(again, "etag")).toBe(header(first, "etag"));
      expect(header(first, "cache-control")).toBe("public, max-age=5, s-maxage=30");
      expect([header(again, "age"), header(again, "cache-control")]).toEqual(["3", "public, max-age=8, s-maxage=33"]);
    },
  },
  {
    title: "cache: answers 304 to who has it already, and runs no handler",
    async check({ listen }) {
      await using shop = createShop();
      const port = await listen(shop.app);
      const etag = header(await get(port, "/products"), "etag") ?? "";
      const unchanged = await get(port, "/products", { headers: { "if-none-match": etag } });
      expect([unchanged.status, unchanged.body.length, header(unchanged, "etag")]).toEqual([304, 0, etag]);
      expect(shop.goods.reads).toBe(1);
    },
  },
  {
    title: "cache: answers a HEAD from what a GET has stored",
    async check({ listen }) {
      await using shop = createShop();
      const port = await listen(shop.app);
      const stored = await get(port, "/products/1");
      const head = await request(port, { method: "HEAD", path: "/products/1" });
      expect([head.status, cacheMark(head), header(head, "etag")]).toEqual([200, "HIT", header(stored, "etag")]);
      expect(shop.goods.reads).toBe(1);
    },
  },
  {
    title: "cache: answers nobody with what was before a change, nor by 304",
    async check({ listen }) {
      await using shop = createShop();
      const port = await listen(shop.app);
      const before = await get(port, "/products/1");
      await get(port, "/products");
      expect((await send(port, "PUT /products/1", { body: { name: "Torch" } })).status).toBe(200);
      const etag = header(before, "etag") ?? "";
      const after = await get(port, "/products/1", { headers: { "if-none-match": etag } });
      expect([after.status, cacheMark(after), json(after)]).toEqual([
        200,
        "MISS",
        { id: "1", name: "Torch", version: 2 },
      ]);
      expect(text(await get(port, "/products"))).toContain("Torch");
      expect((await request(port, { method: "DELETE", path: "/products/1" })).status).toBe(204);
      expect((await get(port, "/products/1")).status).toBe(404);
    },
  },
  {
    title: "cache: keeps variants apart, tells by what they differ, and ends them together",
    async check({ listen }) {
      await using shop = createShop();
      const port = await listen(shop.app);
      const inLanguage = (language: string) => get(port, "/products", { headers: { "accept-language": language } });
      const french = await inLanguage("fr-FR");
      expect([cacheMark(french), header(french, "vary")]).toEqual(["MISS", "accept-language"]);
      expect(cacheMark(await inLanguage("en"))).toBe("MISS");
      expect(cacheMark(await inLanguage("fr;q=0.9"))).toBe("HIT");
      await send(port, "POST /products", { body: { id: "2", name: "Mug" } });
      expect([cacheMark(await inLanguage("fr")), cacheMark(await inLanguage("en"))]).toEqual(["MISS", "MISS"]);
    },
  },
  {
    title: "cache: runs one handler for all who ask at once",
    async check({ listen }) {
      const reading = gate();
      await using shop = createShop({ reading: reading.promise });
      const port = await listen(shop.app);
      const all = Promise.all(Array.from({ length: 20 }, () => get(port, "/products")));
      await expect.poll(() => shop.goods.reads).toBe(1);
      reading.resolve();
      const bodies = new Set((await all).map((response) => `${response.status} ${text(response)}`));
      expect([bodies.size, shop.goods.reads]).toEqual([1, 1]);
      expect([...bodies][0]).toMatch(/^200 \{"products":/);
    },
  },
  {
    title: "cache: answers who waits for a handler whose client has left",
    async check({ listen, probe }) {
      const reading = gate();
      const watcher = probe();
      await using shop = createShop({ reading: reading.promise });
      const port = await listen({ ...shop.app, guards: [watcher.guard, ...(shop.app.guards ?? [])] });
      await using leader = await Connection.open(port);
      leader.send(encodeRequest({ path: "/products" }));
      await expect.poll(() => shop.goods.reads).toBe(1);
      const follower = get(port, "/products");
      await expect.poll(() => watcher.requests.length).toBe(2);
      leader.reset();
      reading.resolve();
      const answered = await follower;
      expect([answered.status, text(answered)]).toEqual([200, '{"products":[{"id":"1","name":"Lamp","version":1}]}']);
    },
  },
  {
    title: "cache: neither stores nor serves what is somebody's own",
    async check({ listen }) {
      await using shop = createShop();
      const port = await listen(shop.app);
      await get(port, "/products");
      const own = await get(port, "/products", ada);
      expect([cacheMark(own), header(own, "cache-control")]).toEqual(["BYPASS", "private, no-store"]);
      const me = await get(port, "/me", ada);
      expect([json(me), header(me, "cache-control")]).toEqual([{ user: "ada" }, "private, no-store"]);
      expect([(await get(port, "/me")).status, shop.goods.reads]).toEqual([401, 2]);
    },
  },
  {
    title: "cache: stores no error, so that what comes after is seen at once",
    async check({ listen }) {
      await using shop = createShop();
      const port = await listen(shop.app);
      const missing = await get(port, "/products/9");
      expect([missing.status, cacheMark(missing)]).toEqual([404, "MISS"]);
      expect(header(missing, "cache-control")).toContain("no-store");
      shop.goods.put("9", "Rug");
      expect((await get(port, "/products/9")).status).toBe(200);
    },
  },
  {
    title: "cache: neither holds nor stores a stream",
    async check({ listen }) {
      await using shop = createShop();
      const port = await listen(shop.app);
      for (let time = 0; time < 2; time += 1) {
        const streamed = await get(port, "/events");
        expect([cacheMark(streamed), text(streamed)]).toEqual(["MISS", "data: 1\n\ndata: 2\n\n"]);
      }
    },
  },
  {
    title: "cache: lets a reply that is too large to be held go whole, and stores none",
    async check({ listen }) {
      await using shop = createShop();
      shop.goods.put("2", "x".repeat(5000));
      const port = await listen({ ...shop.app, options: { ...shop.app.options, maxHeldBytes: 1000 } });
      for (let time = 0; time < 2; time += 1) {
        const large = await get(port, "/products/2");
        expect([large.status, cacheMark(large), text(large).length]).toEqual([200, "MISS", 5032]);
        // Its head was gone before anybody could know.
        expect(header(large, "expires")).toBe("0");
      }
      expect(cacheMark(await get(port, "/products/1"))).toBe("MISS");
      expect(cacheMark(await get(port, "/products/1"))).toBe("HIT");
    },
  },
  {
    title: "cache: asks the handler again when the time of a reply is over",
    async check({ listen }) {
      await using shop = createShop();
      const port = await listen(shop.app);
      await get(port, "/products/1");
      await shop.clock.advance(59_000);
      expect(cacheMark(await get(port, "/products/1"))).toBe("HIT");
      await shop.clock.advance(1000);
      expect([cacheMark(await get(port, "/products/1")), shop.goods.reads]).toEqual(["MISS", 2]);
    },
  },
  {
    title: "cache: stands behind a limit, so that hits count and denials are nobody's reply",
    async check({ listen }) {
      await using shop = createShop({ flood: 2 });
      const port = await listen(shop.app);
      const [first, second] = [await get(port, "/products"), await get(port, "/products")];
      expect([cacheMark(first), cacheMark(second)]).toEqual(["MISS", "HIT"]);
      expect((await get(port, "/products")).status).toBe(429);
      expect(cacheMark(await get(port, "/products", { address: "203.0.113.9" }))).toBe("HIT");
    },
  },
  {
    title: "cache: takes no key from what its handler does not read, and any value for what it does",
    async check({ listen }) {
      await using shop = createShop();
      const port = await listen(shop.app);
      await get(port, "/products?page=1");
      expect(cacheMark(await get(port, "/products?utm=x&page=1"))).toBe("HIT");
      for (const page of ["__proto__", "*", "{a}", "%0d%0a", "%ff", "a&page=b", "x".repeat(3000)]) {
        expect((await get(port, `/products?page=${page}`)).status).toBe(200);
      }
    },
  },
  {
    title: "cache: answers from the cache over HTTP/2",
    notOffered: { express: "HTTP/2" },
    async check({ listen }) {
      await using shop = createShop({ http2: true });
      await using client = new Http2Client(await listen(shop.app));
      const first = await client.request({ ":path": "/products/1" });
      const again = await client.request({ ":path": "/products/1" });
      expect([first.headers["x-cache"], again.headers["x-cache"]]).toEqual(["MISS", "HIT"]);
      expect(again.body.toString()).toBe(first.body.toString());
    },
  },
];
