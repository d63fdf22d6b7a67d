import type { RateLimitStore } from "@sluice/rate-limit";
import { expect } from "vitest";

import type { ContractCase } from "../case.ts";
import { Connection } from "../client/connection.ts";
import { Http2Client } from "../client/http2.ts";
import { encodeRequest, header, json } from "../client/request.ts";
import type { WireResponse } from "../client/response.ts";
import { get, headersOf, send } from "../conformance/client.ts";
import { createShop } from "../conformance/shop.ts";
import { boom } from "./handlers.ts";

const ada = { user: "ada" };

function statusesOf(responses: readonly WireResponse[]): number[] {
  return responses.map(({ status }) => status);
}

function waitOf(response: WireResponse): number {
  expect(response.status).toBe(429);
  return Number(header(response, "retry-after"));
}

const down: RateLimitStore = {
  take: () => Promise.reject(boom),
  adjust: () => Promise.reject(boom),
  mark: () => Promise.reject(boom),
  reset: () => Promise.reject(boom),
  inspect: () => Promise.reject(boom),
};

/** The guard of `@sluice/rate-limit`, before real routes. */
export const limitCases: readonly ContractCase[] = [
  {
    title: "rate-limit: answers what is above a limit with 429, Retry-After and the documented body",
    async check({ listen }) {
      await using shop = createShop({ browse: 2 });
      const port = await listen(shop.app);
      for (const status of [200, 200]) expect((await get(port, "/health")).status).toBe(status);
      const denied = await get(port, "/health");
      expect(waitOf(denied)).toBeGreaterThan(0);
      expect(header(denied, "content-type")).toContain("application/json");
      expect(json(denied)).toEqual({
        ok: false,
        error: { code: "RATE_LIMITED", retry_after_seconds: waitOf(denied) },
        trace_id: header(denied, "x-request-id"),
      });
    },
  },
  {
    title: "rate-limit: lets in again who has waited as long as it said, and not a second sooner",
    async check({ listen }) {
      await using shop = createShop();
      const port = await listen(shop.app);
      expect((await send(port, "POST /flash-buy", { body: {}, ...ada })).status).toBe(202);
      expect(waitOf(await send(port, "POST /flash-buy", { body: {}, ...ada }))).toBe(12);
      await shop.clock.advance(11_000);
      expect(waitOf(await send(port, "POST /flash-buy", { body: {}, ...ada }))).toBe(1);
      await shop.clock.advance(1000);
      expect((await send(port, "POST /flash-buy", { body: {}, ...ada })).status).toBe(202);
    },
  },
  {
    title: "rate-limit: counts unknown routes, wrong methods and malformed bodies, too",
    async check({ listen }) {
      await using shop = createShop({ flood: 3 });
      const port = await listen(shop.app);
      const seen = [await get(port, "/nowhere"), await send(port, "PATCH /products", { body: {} })];
      await using connection = await Connection.open(port);
      const headers = { "content-type": "application/json" };
      connection.send(encodeRequest({ method: "POST", path: "/products", headers, body: '{"id":' }));
      seen.push(await connection.response(), await get(port, "/nowhere"));
      expect(statusesOf(seen)).toEqual([404, 405, 400, 429]);
    },
  },
  {
    title: "rate-limit: tells what is left on replies, on errors and on unknown routes",
    async check({ listen }) {
      await using shop = createShop({ browse: 5 });
      const port = await listen(shop.app);
      const left = async (path: string) => header(await get(port, path), "ratelimit");
      expect(await left("/health")).toContain(";r=4");
      expect(await left("/products/none")).toContain(";r=3");
      expect(await left("/nowhere")).toContain(";r=2");
      expect(header(await get(port, "/health"), "ratelimit-policy")).toContain(";q=5;w=60");
    },
  },
  {
    title: "rate-limit: counts a user wherever they are, and anybody else by address",
    async check({ listen }) {
      await using shop = createShop({ browse: 1 });
      const port = await listen(shop.app);
      const asked = async (user: string | undefined, address: string) =>
        (await get(port, "/health", { address, ...(user === undefined ? {} : { user }) })).status;
      expect([await asked("ada", "203.0.113.1"), await asked("ada", "203.0.113.2")]).toEqual([200, 429]);
      expect([await asked(undefined, "203.0.113.1"), await asked(undefined, "203.0.113.1")]).toEqual([200, 429]);
      expect([await asked(undefined, "203.0.113.2"), await asked("bob", "203.0.113.1")]).toEqual([200, 200]);
    },
  },
  {
    title: "rate-limit: takes all addresses of an IPv6 /64 for one client, and a spoofed one for none",
    async check({ listen }) {
      await using shop = createShop({ browse: 1 });
      const port = await listen(shop.app);
      const from = async (address: string) => (await get(port, "/health", { address })).status;
      expect([await from("2001:db8:0:1::1"), await from("2001:db8:0:1:ffff::2")]).toEqual([200, 429]);
      expect(await from("2001:db8:0:2::1")).toBe(200);
      // Only what the one proxy has added is believed.
      expect(await from("198.51.100.7, 2001:db8:0:1::3")).toBe(429);
    },
  },
  {
    title: "rate-limit: gives back what a successful login has cost, and counts those that failed",
    async check({ listen }) {
      await using shop = createShop();
      const port = await listen(shop.app);
      const logIn = (password: string) => send(port, "POST /login", { body: { password } });
      for (let attempt = 0; attempt < 5; attempt += 1) {
        // What is given back is so once the guard has heard of the reply.
        await expect.poll(async () => (await logIn("correct")).status).toBe(200);
      }
      expect(statusesOf([await logIn("wrong"), await logIn("wrong"), await logIn("correct")])).toEqual([401, 401, 429]);
    },
  },
  {
    title: "rate-limit: spends at none of several limits what one of them denies",
    async check({ listen }) {
      await using shop = createShop();
      const port = await listen(shop.app);
      const guess = async () => (await send(port, "POST /login", { body: { password: "wrong" } })).status;
      const guesses = [];
      for (let attempt = 0; attempt < 7; attempt += 1) guesses.push(await guess());
      expect(guesses).toEqual([401, 401, 429, 429, 429, 429, 429]);
      await shop.clock.advance(120_000);
      // The third of the hour: the five that were denied have cost nothing there.
      expect([await guess(), await guess()]).toEqual([401, 429]);
    },
  },
  {
    title: "rate-limit: brings its decision to the handler",
    async check({ listen }) {
      await using shop = createShop();
      const port = await listen(shop.app);
      expect(json(await send(port, "POST /flash-buy", { body: {}, ...ada }))).toEqual({
        status: "queued",
        remaining: 0,
      });
    },
  },
  {
    title: "rate-limit: lets exactly as many in as it may when all come at once",
    async check({ listen }) {
      await using shop = createShop({ browse: 20 });
      const port = await listen(shop.app);
      const all = await Promise.all(Array.from({ length: 50 }, () => get(port, "/health", ada)));
      expect(statusesOf(all).filter((status) => status === 200)).toHaveLength(20);
      expect(statusesOf(all).filter((status) => status === 429)).toHaveLength(30);
    },
  },
  {
    title: "rate-limit: holds a slot until the reply has been sent",
    async check({ listen }) {
      await using shop = createShop();
      const port = await listen(shop.app);
      const first = get(port, "/exports/1", ada);
      await shop.exporting.begun(1);
      expect((await get(port, "/exports/2", ada)).status).toBe(429);
      shop.exporting.done.resolve();
      expect((await first).status).toBe(200);
      await expect.poll(async () => (await get(port, "/exports/2", ada)).status).toBe(200);
    },
  },
  {
    title: "rate-limit: frees the slot of a client that leaves",
    async check({ listen }) {
      await using shop = createShop();
      const port = await listen(shop.app);
      await using connection = await Connection.open(port);
      connection.send(encodeRequest({ path: "/exports/1", headers: headersOf(ada) }));
      await shop.exporting.begun(1);
      connection.reset();
      // The handler of the one that left still runs. What is asked until the guard has heard of it is denied.
      await expect
        .poll(() =>
          Promise.race([
            get(port, "/exports/2", ada).then(({ status }) => status),
            shop.exporting.begun(2).then(() => "begun"),
          ]),
        )
        .toBe("begun");
      shop.exporting.done.resolve();
    },
  },
  {
    title: "rate-limit: frees the slot of a handler that throws",
    async check({ listen }) {
      await using shop = createShop();
      const port = await listen(shop.app);
      shop.exporting.done.promise.catch(() => {});
      shop.exporting.done.reject(boom);
      for (let attempt = 0; attempt < 3; attempt += 1) {
        await expect.poll(async () => (await get(port, "/exports/1", ada)).status).toBe(500);
      }
    },
  },
  {
    title: "rate-limit: denies before the body has been sent",
    async check({ listen }) {
      await using shop = createShop({ flood: 1 });
      const port = await listen(shop.app);
      await get(port, "/health");
      await using connection = await Connection.open(port);
      const headers = { "content-type": "application/json", "content-length": "1000000" };
      connection.send(encodeRequest({ method: "POST", path: "/products", headers }));
      expect((await connection.response()).status).toBe(429);
    },
  },
  {
    title: "rate-limit: answers 503 when its store has failed where a policy denies, and else lets pass",
    async check({ listen }) {
      await using shop = createShop({ store: down });
      const port = await listen(shop.app);
      expect((await get(port, "/health")).status).toBe(200);
      const refused = await send(port, "POST /hooks", { body: {} });
      expect([refused.status, header(refused, "retry-after")]).toEqual([503, "1"]);
      expect(json(refused)).toMatchObject({ ok: false, error: { code: "RATE_LIMIT_UNAVAILABLE" } });
    },
  },
  {
    title: "rate-limit: limits over HTTP/2",
    notOffered: { express: "HTTP/2" },
    async check({ listen }) {
      await using shop = createShop({ browse: 2, http2: true });
      await using client = new Http2Client(await listen(shop.app));
      const all = await Promise.all([1, 2, 3].map(() => client.request({ ":path": "/health" })));
      const denied = all.filter(({ headers }) => Number(headers[":status"]) === 429);
      expect([all.length, denied.length]).toEqual([3, 1]);
      expect(denied[0]?.headers["retry-after"]).toMatch(/^\d+$/);
    },
  },
];
