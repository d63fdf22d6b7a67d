import { connectRedis } from "@sluice/redis/ioredis";
import { findRedis, launchRedis, type LaunchedRedis } from "@sluice/testing/services";
import { describeNeeding } from "@sluice/testing/vitest";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";

import { emptyDatabase, request, startMarketplace, type Answer, type TestMarketplace } from "./support/marketplace.ts";

const enabled = { ENABLE_RATE_LIMIT: "true", TRUSTED_PROXIES: "1" };
let databaseUrl: string;
beforeAll(async () => {
  databaseUrl = await emptyDatabase();
});

async function limited(environment: Readonly<Record<string, string>> = {}): Promise<TestMarketplace> {
  const marketplace = await startMarketplace({ databaseUrl, environment: { ...enabled, ...environment } });
  onTestFinished(() => marketplace[Symbol.asyncDispose]());
  return marketplace;
}

interface Sent extends RequestInit {
  readonly headers?: Readonly<Record<string, string>>;
}

/** As a client with this address, behind the proxy that is trusted. */
function from(address: string, init: Sent = {}): RequestInit {
  return { ...init, headers: { "x-forwarded-for": address, ...init.headers } };
}

async function statuses(count: number, send: () => Promise<Answer>): Promise<readonly number[]> {
  const answers = await Promise.all(Array.from({ length: count }, send));
  return answers.map(({ status }) => status);
}

function denied(all: readonly number[]): number {
  return all.filter((status) => status === 429).length;
}

const login: Sent = {
  method: "POST",
  body: JSON.stringify({ email: "nobody@example.com", password: "wrong-password" }),
  headers: { "content-type": "application/json" },
};

describe("the limits", () => {
  it("let an address try ten log-ins a minute, whoever it claims to be", async () => {
    const { url } = await limited();
    let spoofed = 0;
    const all = await statuses(15, () => {
      spoofed += 1;
      return request(`${url}/api/auth/login`, from(`198.51.100.${spoofed}, 203.0.113.7`, login));
    });
    expect(denied(all)).toBe(5);
    expect((await request(`${url}/api/v1/auth/login`, from("203.0.113.7", login))).status).toBe(429);
    expect((await request(`${url}/api/auth/login`, from("203.0.113.8", login))).status).toBe(401);
  });

  it("count a whole IPv6 network as one client", async () => {
    const { url } = await limited();
    let host = 0;
    const all = await statuses(12, () => {
      host += 1;
      return request(`${url}/api/auth/login`, from(`2001:db8:1:2::${host.toString(16)}`, login));
    });
    expect(denied(all)).toBe(2);
    expect((await request(`${url}/api/auth/login`, from("2001:db8:1:3::1", login))).status).toBe(401);
  });

  it("answer a denial to the letter, with the wait in the header and in the body", async () => {
    const { url } = await limited();
    await statuses(10, () => request(`${url}/api/auth/login`, from("203.0.113.9", login)));
    const { status, headers, body } = await request(`${url}/api/auth/login`, from("203.0.113.9", login));
    expect(status).toBe(429);
    const seconds = Number(headers.get("retry-after"));
    expect(seconds).toBeGreaterThanOrEqual(1);
    expect(body).toEqual({
      ok: false,
      error: { code: "RATE_LIMITED", retry_after_seconds: seconds },
      trace_id: headers.get("x-request-id"),
    });
    expect(headers.get("ratelimit-policy")).toContain('"auth-min";q=10;w=60');
    expect(headers.get("cache-control")).toBe("no-store");
  });

  it("let 120 reads a minute through, also of routes that there are not", async () => {
    const { url } = await limited();
    const known = await statuses(100, () => request(`${url}/api/categories`, from("203.0.113.10")));
    const unknown = await statuses(25, () => request(`${url}/api/nothing/here`, from("203.0.113.10")));
    expect(denied([...known, ...unknown])).toBe(5);
    expect(unknown.filter((status) => status === 404)).toHaveLength(20);
  });

  it("let 60 writes a minute through, and count reads apart", async () => {
    const { url } = await limited();
    const all = await statuses(63, () => request(`${url}/api/products`, from("203.0.113.11", { method: "POST" })));
    expect(denied(all)).toBe(3);
    expect((await request(`${url}/api/categories`, from("203.0.113.11"))).status).toBe(200);
  });

  it("count users behind one address apart, and one user at many addresses together", async () => {
    const { url } = await limited();
    const tokens = [await register(url, "ada"), await register(url, "bola")];
    const [ada = "", bola = ""] = tokens.map((token) => `Bearer ${token}`);
    const read = (authorization: string, address: string) =>
      request(`${url}/api/categories`, from(address, { headers: { authorization } }));
    expect(denied(await statuses(121, () => read(ada, "203.0.113.20")))).toBe(1);
    expect((await read(ada, "203.0.113.21")).status).toBe(429);
    expect((await read(bola, "203.0.113.20")).status).toBe(200);
    // A token that proves nothing counts for its address.
    expect((await read("Bearer nonsense", "203.0.113.22")).status).toBe(200);
  });

  it("give a flash sale a bucket of its own: ten at once, then one every six seconds", async () => {
    const { url } = await limited();
    const buy = () => request(`${url}/api/flash-buy`, from("203.0.113.30", { method: "POST" }));
    expect(denied(await statuses(12, buy))).toBe(2);
    expect(Number((await buy()).headers.get("retry-after"))).toBeLessThanOrEqual(6);
  });

  it("leave health and metrics alone", async () => {
    const { url } = await limited();
    const all = await Promise.all(
      Array.from({ length: 150 }, async () => (await fetch(`${url}/health/live`, from("203.0.113.40"))).status),
    );
    expect(denied(all)).toBe(0);
  });

  it("hold for nobody when they are switched off", async () => {
    const { url } = await limited({ ENABLE_RATE_LIMIT: "false" });
    const all = await statuses(130, () => request(`${url}/api/categories`, from("203.0.113.50")));
    expect(denied(all)).toBe(0);
  });

  it("are a column of the table of routes", async () => {
    const { app } = await limited();
    const tiers = new Map(app.routes.map(({ method, path, tier }) => [`${method} ${path}`, tier]));
    expect(tiers.get("POST /api/auth/login")).toBe("auth");
    expect(tiers.get("GET /api/products")).toBe("browse");
    expect(tiers.get("GET /api/public/listings/recommended")).toBe("browse");
    expect(tiers.get("POST /api/products")).toBe("write");
    expect([...tiers].filter(([route, tier]) => tier === undefined && !route.startsWith("GET "))).toEqual([]);
  });
});

describeNeeding({ redis: "real" }, "the limits in Redis", () => {
  it("hold for all processes together, under the documented keys, in a Redis of their own", async () => {
    const server = await ownRedis();
    const environment = { RATE_LIMIT_REDIS_URL: server.url };
    const [one, other] = [await limited(environment), await limited(environment)];
    let turn = 0;
    const all = await statuses(130, () => {
      turn += 1;
      return request(`${(turn % 2 === 0 ? one : other).url}/api/categories`, from("203.0.113.60"));
    });
    expect(denied(all)).toBe(10);
    await using redis = connectRedis(server.url);
    expect(await redis.read("EXISTS", ["rate:anon:203.0.113.60"])).toBe(1);
    expect(Number(await redis.read("PTTL", ["rate:anon:203.0.113.60"]))).toBeGreaterThan(0);
  });

  it("let everybody browse while Redis is away, but nobody guess passwords, and count that", async () => {
    const server = await ownRedis();
    const { url } = await limited({ RATE_LIMIT_REDIS_URL: server.url, ENABLE_METRICS: "true" });
    await server.stop();
    expect(denied(await statuses(130, () => request(`${url}/api/categories`, from("203.0.113.70"))))).toBe(0);
    expect(denied(await statuses(12, () => request(`${url}/api/auth/login`, from("203.0.113.70", login))))).toBe(2);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toMatch(/^limiter_fail_open_total\{.*policy="browse".*\} \d{2,}/m);
    expect(metrics).not.toMatch(/^limiter_fail_open_total\{.*policy="auth"/m);
  });
});

async function ownRedis(): Promise<LaunchedRedis> {
  const binary = await findRedis();
  if (binary === undefined) throw new Error("There is no redis-server on this machine.");
  const server = await launchRedis({ binary });
  onTestFinished(() => server.stop());
  return server;
}

let people = 0;

async function register(url: string, name: string): Promise<string> {
  people += 1;
  const person = { email: `${name}.${people}@example.com`, password: "correct-horse-battery", name };
  const answer = await request(`${url}/api/auth/register`, {
    method: "POST",
    body: JSON.stringify(person),
    headers: { "content-type": "application/json" },
  });
  if (answer.status !== 201) throw new Error(JSON.stringify(answer.body));
  return (answer.body.data as { readonly access_token: string }).access_token;
}
