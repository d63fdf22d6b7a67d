import type { HttpReply } from "@sluice/http";
import { guardLaws, testRequest, throughGuard, type TestRequestParts } from "@sluice/http/testing";
import { createFakeClock } from "@sluice/testing";
import { runLaws } from "@sluice/testing/vitest";
import { describe, expect, it, onTestFinished } from "vitest";

import { cacheGuard, queryOf, type CacheGuardOptions } from "../src/http/index.ts";
import { createCache, memoryStore, paramsKey, type CacheOptions } from "../src/index.ts";
import { gate } from "./support/shop.ts";

interface Page {
  readonly page: string;
}

/** A guard before a handler that the test holds in its hand. */
function site(options: Partial<CacheGuardOptions<Page>> = {}, cacheOptions: CacheOptions = {}) {
  const clock = createFakeClock();
  const cache = createCache({ store: memoryStore({ clock }), clock, ...cacheOptions });
  onTestFinished(() => cache.close());
  const guard = cacheGuard<Page>({
    cache,
    name: "feed",
    prefix: "v1:feed",
    key: paramsKey<Page>(),
    params: (request) => ({ page: String(queryOf(request)["page"] ?? 1) }),
    ttl: "60s",
    jitter: 0,
    ...options,
  });
  const made = {
    clock,
    cache,
    guard,
    ran: 0,
    body: "one",
    reply: {} as Partial<HttpReply>,
    get(init: TestRequestParts = {}): Promise<HttpReply> {
      return throughGuard(guard, testRequest({ url: "/feed?page=1", ...init }), () => {
        made.ran += 1;
        return { status: 200, headers: { "content-type": "text/plain" }, body: made.body, ...made.reply };
      });
    },
  };
  return made;
}

/** The parts of a reply that tests look at. */
function seen({ status, headers, body }: HttpReply): unknown[] {
  return [status, headers["x-cache"], headers["cache-control"], body === undefined ? "" : Buffer.from(body).toString()];
}

describe("a guard before public GETs", () => {
  it("stores what the handler replies and answers with it, until its time is over", async () => {
    const here = site({
      freshness: { maxAge: "5s", sMaxage: "30s", staleWhileRevalidate: "60s", staleIfError: "300s" },
    });
    const directives = "public, max-age=5, s-maxage=30, stale-while-revalidate=60, stale-if-error=300";
    expect(seen(await here.get())).toEqual([200, "MISS", directives, "one"]);
    here.body = "two";
    const hit = await here.get();
    expect(seen(hit)).toEqual([200, "HIT", directives, "one"]);
    expect(hit.headers).toMatchObject({ "content-type": "text/plain", age: "0", etag: expect.stringMatching(/^W\/"/) });
    expect(hit.headers["expires"]).toBeUndefined();
    await here.clock.advance(59_000);
    // The age is counted from the making: without it added, the rest would be over before it began.
    const aged = await here.get();
    expect(aged.headers["age"]).toBe("59");
    expect(aged.headers["cache-control"]).toContain("max-age=64, s-maxage=89");
    await here.clock.advance(1000);
    expect(seen(await here.get())).toEqual([200, "MISS", directives, "two"]);
    expect(here.ran).toBe(2);
  });

  it("answers 304 without the handler while nothing has changed, and never after an update", async () => {
    const here = site();
    const { headers } = await here.get();
    const etag = String(headers["etag"]);
    const unchanged = await here.get({ headers: { "if-none-match": `"x", ${etag}` } });
    expect([unchanged.status, unchanged.body, unchanged.headers["etag"]]).toEqual([304, undefined, etag]);
    expect(unchanged.headers["content-type"]).toBeUndefined();
    expect(here.ran).toBe(1);
    here.body = "two";
    await here.cache.invalidate([here.guard.entry({ page: "1" })]);
    const changed = await here.get({ headers: { "if-none-match": etag } });
    expect(seen(changed).slice(0, 2)).toEqual([200, "MISS"]);
    expect(changed.headers["etag"]).not.toBe(etag);
    const again = await here.get({ headers: { "if-none-match": etag } });
    expect([again.status, Buffer.from(again.body ?? "").toString()]).toEqual([200, "two"]);
    // The same content once more has the same tag.
    here.body = "one";
    await here.cache.flush("v1:feed:");
    expect((await here.get({ headers: { "if-none-match": etag } })).headers["etag"]).toBe(etag);
    // Another type of the same bytes has not.
    here.reply = { headers: { "content-type": "text/html" } };
    await here.cache.flush("v1:feed:");
    expect((await here.get()).headers["etag"]).not.toBe(etag);
  });

  it("keeps what is somebody's own private, by default", async () => {
    const here = site({ params: ({ url }) => (url.startsWith("/private") ? undefined : { page: "1" }) });
    const own = [200, "BYPASS", "private, no-store", "one"];
    expect(seen(await here.get({ headers: { authorization: "Bearer x" } }))).toEqual(own);
    expect(seen(await here.get({ headers: { cookie: "session=1" } }))).toEqual(own);
    expect(seen(await here.get({ url: "/private" }))).toEqual(own);
    expect(seen(await here.get({ method: "POST" }))).toEqual(own);
    expect(here.ran).toBe(4);
    await here.get();
    expect(seen(await here.get({ headers: { cookie: "session=1" } }))).toEqual(own);
  });

  it("does not store what a handler makes for one, or has not made well", async () => {
    const replies: readonly (readonly [Partial<HttpReply>, string])[] = [
      [{ headers: { "set-cookie": ["a=1"] } }, "private, no-store"],
      [{ headers: { "cache-control": "private" } }, "private"],
      [{ headers: { "cache-control": "max-age=60, No-Store" } }, "max-age=60, No-Store"],
      [{ headers: { "cache-control": "private, no-store" } }, "private, no-store"],
      [{ headers: { vary: "Accept-Language" } }, "private, no-store"],
      [{ headers: { vary: "*" } }, "private, no-store"],
      [{ status: 404 }, "private, no-store"],
      [{ status: 500 }, "private, no-store"],
      [{ status: 201 }, "private, no-store"],
      [{ status: 302, headers: { location: "/" } }, "private, no-store"],
    ];
    for (const [reply, expected] of replies) {
      const here = site();
      here.reply = reply;
      for (let turn = 0; turn < 2; turn += 1) expect(seen(await here.get()).slice(1, 3)).toEqual(["MISS", expected]);
      expect(here.ran).toBe(2);
    }
    const here = site();
    here.reply = { headers: { "content-type": "text/event-stream" } };
    await here.get();
    expect((await here.get()).headers["x-cache"]).toBe("MISS");
  });

  it("keeps variants apart, and ends them together", async () => {
    const here = site({ vary: { "accept-language": (value = "") => (value.startsWith("fr") ? "fr" : "en") } });
    here.reply = { headers: { vary: "Accept-Language, ", "content-language": "en" } };
    const ask = (language: string) => here.get({ headers: { "accept-language": language } });
    await ask("en");
    here.body = "un";
    expect(seen(await ask("fr-CA"))[3]).toBe("un");
    expect(seen(await ask("en-GB"))[3]).toBe("one");
    const hit = await ask("fr");
    expect([seen(hit)[1], seen(hit)[3], hit.headers["vary"]]).toEqual(["HIT", "un", "accept-language"]);
    here.body = "new";
    await here.cache.invalidate([here.guard.entry({ page: "1" })]);
    expect([seen(await ask("en"))[3], seen(await ask("fr"))[3]]).toEqual(["new", "new"]);
  });

  it("runs one handler for all who ask at once, and each its own when that one fails", async () => {
    const here = site();
    const open = gate<void>();
    let fails = false;
    const ask = (): Promise<HttpReply> =>
      throughGuard(here.guard, testRequest({ url: "/feed?page=1" }), async () => {
        here.ran += 1;
        if (here.ran === 1) await open.passed;
        if (fails && here.ran === 1) throw new Error("the handler has failed");
        return { status: 200, headers: {}, body: "one" };
      });
    const asked = Array.from({ length: 20 }, ask);
    await here.clock.advance(0);
    open.open();
    const replies = await Promise.all(asked);
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200]));
    expect(here.ran).toBe(1);
    await here.cache.flush("v1:feed:");
    fails = true;
    here.ran = 0;
    const statuses = (await Promise.all(Array.from({ length: 5 }, ask))).map(({ status }) => status);
    expect(statuses.filter((status) => status === 200).length).toBe(4);
    expect(here.ran).toBe(5);
  });

  it("serves what is past its time to all but the one that asks for new", async () => {
    const here = site({ stale: { onError: "10m" } });
    await here.get();
    await here.clock.advance(60_000);
    const open = gate<void>();
    const slow = throughGuard(here.guard, testRequest({ url: "/feed?page=1" }), async () => {
      await open.passed;
      return { status: 200, headers: {}, body: "two" };
    });
    await here.clock.advance(0);
    expect(seen(await here.get()).slice(0, 2)).toEqual([200, "STALE"]);
    open.open();
    expect(seen(await slow)[1]).toBe("MISS");
    expect(seen(await here.get())[3]).toBe("two");
  });

  it("answers a HEAD from what a GET has stored, and stores none", async () => {
    const here = site();
    expect((await here.get({ method: "HEAD" })).headers["x-cache"]).toBe("MISS");
    expect((await here.get()).headers["x-cache"]).toBe("MISS");
    const head = await here.get({ method: "HEAD" });
    expect([head.headers["x-cache"], head.body, head.headers["etag"]]).toEqual(["HIT", undefined, expect.any(String)]);
  });

  it("does not let a client make the database work", async () => {
    const here = site();
    await here.get();
    for (const value of ["no-cache", "no-store", "max-age=0"]) {
      expect(seen(await here.get({ headers: { "cache-control": value, pragma: "no-cache" } }))[1]).toBe("HIT");
    }
    expect(here.ran).toBe(1);
  });

  it("stores nothing where a client may have hidden a parameter behind others", async () => {
    const here = site();
    for (const count of [63, 64, 1000, 5000]) {
      const others = Array.from({ length: count }, (_, index) => `a${index}`).join("&");
      here.body = "page 2";
      const reply = await here.get({ url: `/feed?${others}&page=2` });
      expect(seen(reply).slice(1, 3)).toEqual(
        count < 64 ? ["MISS", "public, max-age=0"] : ["BYPASS", "private, no-store"],
      );
      here.body = "page 1";
      expect(seen(await here.get({ url: "/feed" }))[3]).toBe("page 1");
    }
    expect(queryOf({ url: `/?${"a&".repeat(5000)}page=2` })["page"]).toBe("2");
  });

  it("gets out of the way when the cache is switched off, or the store does not answer", async () => {
    const off = site({}, { enabled: () => false });
    for (let turn = 0; turn < 2; turn += 1) expect(seen(await off.get()).slice(1, 2)).toEqual(["BYPASS"]);
    expect(off.ran).toBe(2);
    const inner = memoryStore();
    const store = new Proxy(inner, {
      get(target, name): unknown {
        if (name === "read") return () => Promise.reject(new Error("away"));
        const member: unknown = Reflect.get(target, name);
        return typeof member === "function" ? member.bind(target) : member;
      },
    });
    const away = site({}, { store });
    for (let turn = 0; turn < 2; turn += 1) expect(seen(await away.get()).slice(1, 2)).toEqual(["BYPASS"]);
    expect(away.ran).toBe(2);
    const denied = site({}, { store, onStoreError: "deny" });
    expect(await denied.get()).toMatchObject({ status: 503, headers: { "retry-after": "1" } });
    expect(denied.ran).toBe(0);
  });
});

it("what can have no key is not cached, and does no harm", async () => {
  const here = site({ params: queryOf as never });
  for (const url of ["//", "/?q=%E0%A4%A", `/?q=${"x".repeat(100_000)}`, "/?__proto__=1&constructor=2"]) {
    expect((await here.get({ url })).status).toBe(200);
  }
  expect(queryOf({ url: "/?a=1&b=2&a=3" })).toEqual({ a: ["1", "3"], b: "2" });
});

runLaws("a guard before public GETs", guardLaws, () => ({
  guard: site().guard,
  passing: (number: number) => ({ url: `/feed?page=${number}` }),
}));
