import type { HttpReply, HttpRequest, Outcome, PassVerdict, Verdict } from "@sluice/http";
import { createFakeClock } from "@sluice/testing";
import { describe, expect, it } from "vitest";

import { byUserElseAddress, byAddress, rateLimitGuard } from "../src/http.ts";
import { bucket, concurrency, createRateLimiter, window } from "../src/index.ts";
import { fakeStore } from "./fake-store.ts";
import { codeOf } from "./outcome.ts";

function request(facts: Partial<HttpRequest> & { readonly accept?: string } = {}): HttpRequest {
  return {
    method: "GET",
    url: "/products",
    path: "/products",
    route: "/products",
    id: "trace-1",
    address: "203.0.113.7",
    principal: undefined,
    signal: new AbortController().signal,
    header: (name) => (name.toLowerCase() === "accept" ? facts.accept : undefined),
    body: () => Promise.reject(new Error("A limit reads no body.")),
    ...facts,
  };
}

function made() {
  const clock = createFakeClock();
  const store = fakeStore({ clock });
  const limiter = createRateLimiter({
    clock,
    store,
    policies: {
      browse: window({ limit: 2, per: "1m" }),
      write: bucket({ capacity: 1, refill: 1, every: "12s" }),
      slots: concurrency({ limit: 1, lease: "1m" }),
      auth: { limits: window({ limit: 1, per: "1m" }), onStoreError: "deny" },
    },
  });
  return { clock, store, limiter };
}

function replyOf(verdict: Verdict): HttpReply {
  if ("reply" in verdict) return verdict.reply;
  throw new Error("The request passed.");
}

function passOf(verdict: Verdict): PassVerdict {
  if ("pass" in verdict) return verdict;
  throw new Error(`The request was answered: ${String(verdict.reply.body)}`);
}

const replied: Outcome = { kind: "replied", head: { status: 200, headers: {} } };

describe("a guard", () => {
  it("answers 429 to the letter, with the wait that is enough", async () => {
    const { limiter, clock } = made();
    const guard = rateLimitGuard({ limiter, policy: "write", stage: "address" });
    passOf(await guard.before(request()));
    const { status, headers, body } = replyOf(await guard.before(request()));
    expect(status).toBe(429);
    expect(body).toBe('{"ok":false,"error":{"code":"RATE_LIMITED","retry_after_seconds":12},"trace_id":"trace-1"}');
    expect(headers).toMatchObject({
      "retry-after": "12",
      "cache-control": "no-store",
      "content-type": "application/json; charset=utf-8",
      "x-request-id": "trace-1",
      "ratelimit-policy": '"write";q=1;w=12',
      ratelimit: '"write";r=0;t=12',
    });
    await clock.advance(12_000);
    passOf(await guard.before(request()));
  });

  it("may answer in the other shapes of an error", async () => {
    const { limiter } = made();
    const guard = rateLimitGuard({ limiter, policy: "write", stage: "address", profile: "detail" });
    passOf(await guard.before(request()));
    expect(JSON.parse(String(replyOf(await guard.before(request())).body))).toEqual({
      detail: "Too many requests.",
      code: "RATE_LIMITED",
      trace_id: "trace-1",
      retry_after_seconds: 12,
    });
    const problem = replyOf(await guard.before(request({ accept: "application/problem+json" })));
    expect(JSON.parse(String(problem.body))).toMatchObject({
      type: "https://iana.org/assignments/http-problem-types#quota-exceeded",
      status: 429,
      code: "RATE_LIMITED",
    });
  });

  it("lets requests pass with the headers of their limits, and the decision for the handler", async () => {
    const { limiter } = made();
    const guard = rateLimitGuard({ limiter, policy: "browse", stage: "principal" });
    expect(guard).toMatchObject({
      name: "rate-limit",
      stage: "principal",
      needs: { requestBody: false, reply: "nothing" },
    });
    const pass = passOf(await guard.before(request({ principal: "42" })));
    const { headers, context } = pass;
    expect(headers).toEqual({ "ratelimit-policy": '"browse";q=2;w=60', ratelimit: '"browse";r=1' });
    expect(pass).not.toHaveProperty("settle");
    await context?.rateLimit?.refund();
    expect((await limiter.check("browse", byUserElseAddress(request({ principal: "42" })))).limits[0]?.remaining).toBe(
      2,
    );
    const legacy = rateLimitGuard({ limiter, policy: "browse", stage: "principal", headers: "legacy" });
    expect(Object.keys(passOf(await legacy.before(request())).headers ?? {})).toContain("x-ratelimit-limit");
    const silent = rateLimitGuard({ limiter, policy: "browse", stage: "principal", headers: "off" });
    expect(passOf(await silent.before(request())).headers).toEqual({});
  });

  it("counts users by id, others by address, IPv6 by its /64, and who has no address together", async () => {
    expect(byUserElseAddress({ principal: "42", address: "203.0.113.7" }).key).toBe("rate:user:42");
    expect(byUserElseAddress({ principal: undefined, address: "203.0.113.7" }).key).toBe("rate:anon:203.0.113.7");
    expect(byAddress({ address: "::ffff:203.0.113.7" }).key).toBe("rate:anon:203.0.113.7");
    const { limiter } = made();
    const guard = rateLimitGuard({ limiter, policy: "browse", stage: "address" });
    const passed = [];
    for (let host = 0; host < 5; host += 1) {
      passed.push("pass" in (await guard.before(request({ address: `2001:db8:1:2:${host}::${host}` }))));
    }
    expect(passed).toEqual([true, true, false, false, false]);
    expect(byAddress({ address: "2001:db8:1:2:3::4" }).key).toBe("rate:anon:2001:db8:1:2::/64");
    expect(byAddress({ address: undefined }).key).toBe("rate:anon:-");
  });

  it("takes policy, subject and cost from the request, or leaves it alone", async () => {
    const { limiter, store } = made();
    const guard = rateLimitGuard({
      limiter,
      stage: "principal",
      policy: ({ method }) => (method === "GET" ? "browse" : undefined),
      by: (each) => (each.principal === "admin" ? undefined : byUserElseAddress(each)),
      cost: ({ path }) => (path === "/export" ? 2 : 1),
    });
    expect(passOf(await guard.before(request({ method: "POST" })))).toEqual({ pass: true });
    expect(passOf(await guard.before(request({ principal: "admin" })))).toEqual({ pass: true });
    expect(store.calls).toEqual([]);
    expect(passOf(await guard.before(request({ path: "/export" }))).headers?.["ratelimit"]).toMatch(
      /"browse";r=0;t=\d+/,
    );
  });

  it("charges what the reply says, such as failed logins only", async () => {
    const { limiter } = made();
    const guard = rateLimitGuard({
      limiter,
      policy: "browse",
      stage: "address",
      settle: (outcome) => (outcome.kind === "replied" && outcome.head.status === 200 ? 0 : 1),
    });
    for (let login = 0; login < 5; login += 1) await passOf(await guard.before(request())).settle?.(replied);
    for (let login = 0; login < 2; login += 1) {
      await passOf(await guard.before(request())).settle?.({ kind: "replied", head: { status: 401, headers: {} } });
    }
    expect(replyOf(await guard.before(request())).status).toBe(429);
  });

  it("holds a slot until the request has ended, however it ends", async () => {
    const { limiter } = made();
    const guard = rateLimitGuard({
      limiter,
      policy: "slots",
      stage: "address",
      settle: (outcome) => {
        if (outcome.kind === "failed") throw new Error("settle fails");
        return 1;
      },
    });
    const head = { status: 500, headers: {} };
    for (const outcome of [replied, { kind: "aborted" }, { kind: "failed", error: new Error("x"), head }] as const) {
      const pass = passOf(await guard.before(request()));
      expect(replyOf(await guard.before(request())).status).toBe(429);
      await Promise.resolve(pass.settle?.(outcome)).catch(() => {});
    }
    passOf(await guard.before(request()));
  });

  it("answers 503 when the store has failed and the policy says deny, and passes when it says allow", async () => {
    const { limiter, store } = made();
    store.failure = new Error("away");
    const denying = rateLimitGuard({ limiter, policy: "auth", stage: "address" });
    const { status, body, headers } = replyOf(await denying.before(request()));
    expect([status, headers["retry-after"]]).toEqual([503, "1"]);
    expect(JSON.parse(String(body))).toEqual({
      ok: false,
      error: { code: "RATE_LIMIT_UNAVAILABLE" },
      trace_id: "trace-1",
    });
    const open = rateLimitGuard({ limiter, policy: "browse", stage: "address" });
    expect(passOf(await open.before(request())).headers).toEqual({});
  });

  it.each<[string, object]>([
    ["a policy that the limiter has not", { policy: "brwose" }],
    ["a prototype's policy", { policy: "constructor" }],
    ["no policy", { policy: undefined }],
    ["a stage that is none", { stage: "late" }],
    ["a cost of 0", { cost: 0 }],
    ["a cost that is no number", { cost: Number.NaN }],
    ["headers that are none", { headers: "draft-11" }],
  ])("is refused before the first request for %s", (_, wrong) => {
    const { limiter } = made();
    const options = { limiter, policy: "browse", stage: "address", ...wrong } as Parameters<typeof rateLimitGuard>[0];
    expect(codeOf(() => rateLimitGuard(options))).toBe("ERR_SLUICE_INVALID_ARGUMENT");
  });

  it("says so when a request costs more than is ever allowed, and hides no other error", async () => {
    const { limiter } = made();
    const guard = rateLimitGuard({ limiter, policy: "browse", stage: "address", cost: 3 });
    const { status, body } = replyOf(await guard.before(request()));
    expect([status, JSON.parse(String(body)).error]).toEqual([429, { code: "COST_EXCEEDS_LIMIT" }]);
    const broken = rateLimitGuard({ limiter, policy: "browse", stage: "address", cost: () => 0 });
    await expect(broken.before(request())).rejects.toMatchObject({ code: "ERR_SLUICE_INVALID_ARGUMENT" });
  });
});
