import { systemRandom } from "@sluice/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { emptyDatabase, startMarketplace, type TestMarketplace } from "./support/marketplace.ts";
import { me, password, post, refresh, register, registerAdmin, send } from "./support/people.ts";

let market: TestMarketplace;
beforeAll(async () => {
  market = await startMarketplace({ databaseUrl: await emptyDatabase() });
});
afterAll(() => market[Symbol.asyncDispose]());

describe("logging out", () => {
  it("ends this session at once, and no other", async () => {
    const { email, ...here } = await register(market);
    const there = (await post(market, "/api/auth/login", { email, password })).body.data as typeof here;
    expect((await post(market, "/api/auth/logout", { refresh_token: here.refresh_token })).body.data).toEqual({});
    expect((await me(market, here.access_token)).body.error.code).toBe("TOKEN_INVALID");
    const answer = await post(market, "/api/auth/refresh", { refresh_token: here.refresh_token });
    expect(answer).toMatchObject({ status: 401, body: { error: { code: "REFRESH_INVALID" } } });
    expect((await me(market, there.access_token)).status).toBe(200);
    await refresh(market, there.refresh_token);
  });

  it("works with a token that was replaced, and twice", async () => {
    const { refresh_token: first } = await register(market);
    const { access_token: token } = await refresh(market, first);
    for (let round = 0; round < 2; round += 1) {
      expect((await post(market, "/api/auth/logout", { refresh_token: first })).status).toBe(200);
    }
    expect((await me(market, token)).status).toBe(401);
    expect((await post(market, "/api/auth/logout", { refresh_token: "no token at all" })).status).toBe(200);
    expect((await post(market, "/api/auth/logout", {})).status).toBe(200);
  });

  it("everywhere ends all sessions of the account, and nobody else's", async () => {
    const { email, ...here } = await register(market);
    const there = (await post(market, "/api/auth/login", { email, password })).body.data as typeof here;
    const other = await register(market);
    expect((await send(market, ["POST", "/api/auth/logout-all"], { token: here.access_token })).status).toBe(200);
    for (const { access_token: access, refresh_token: token } of [here, there]) {
      expect((await me(market, access)).status).toBe(401);
      const answer = await post(market, "/api/auth/refresh", { refresh_token: token });
      expect(answer).toMatchObject({ status: 401, body: { error: { code: "REFRESH_INVALID" } } });
    }
    expect((await me(market, other.access_token)).status).toBe(200);
    expect((await post(market, "/api/auth/login", { email, password })).status).toBe(200);
  });
});

describe("the session cookie", () => {
  const attributes = "Max-Age=2592000; HttpOnly; SameSite=Strict";

  it("has the refresh token where the client wants it, and the body has not", async () => {
    const { email } = await register(market);
    const login = await post(market, "/api/auth/login", { email, password, use_cookie: true });
    const [pair = "", ...rest] = login.headers.get("set-cookie")?.split("; ") ?? [];
    expect(rest.join("; ")).toBe(`Path=/api/auth; ${attributes}`);
    expect(login.body.data).not.toHaveProperty("refresh_token");

    const headers = { cookie: `theme=dark; ${pair}` };
    const refreshed = await send(market, ["POST", "/api/auth/refresh"], { body: {}, headers });
    const [next = ""] = refreshed.headers.get("set-cookie")?.split("; ") ?? [];
    expect([refreshed.status, next === pair]).toEqual([200, false]);
    expect(refreshed.body.data).not.toHaveProperty("refresh_token");

    const out = await send(market, ["POST", "/api/auth/logout"], { body: {}, headers: { cookie: next } });
    expect(out.headers.get("set-cookie")).toBe("refresh_token=; Path=/api/auth; Max-Age=0; HttpOnly; SameSite=Strict");
    expect((await me(market, (refreshed.body.data as { access_token: string }).access_token)).status).toBe(401);
  });

  it("is for HTTPS alone in production, and for the prefix that was used", async () => {
    const environment = {
      NODE_ENV: "production",
      DATABASE_URL: market.databaseUrl,
      SECRET_KEY: Buffer.from(systemRandom.bytes(32)).toString("base64url"),
      ARGON2_MEMORY_KIB: "7168",
    };
    await using production = await startMarketplace({ databaseUrl: market.databaseUrl, environment });
    const chosen = { email: "secure@people.example", password, name: "Ada", use_cookie: true };
    const answer = await post(production, "/api/v1/auth/register", chosen);
    expect(answer.headers.get("set-cookie")).toMatch(new RegExp(`; Path=/api/v1/auth; ${attributes}; Secure$`));
  });

  it("is of no use without a body of JSON, which another site's form cannot send", async () => {
    const { refresh_token: token } = await register(market);
    const headers = { cookie: `refresh_token=${token}` };
    expect((await send(market, ["POST", "/api/auth/refresh"], { headers })).status).toBe(400);
    const form = { ...headers, "content-type": "application/x-www-form-urlencoded" };
    expect((await send(market, ["POST", "/api/auth/refresh"], { headers: form, body: "a=b" })).status).toBe(415);
    await refresh(market, token);
  });
});

describe("an administrator", () => {
  it("loses the role, and tokens that had it, the moment the role is taken away", async () => {
    const admin = await registerAdmin(market);
    const approve = ["POST", "/api/admin/listings/00000000-0000-8000-8000-000000000000/approve"] as const;
    expect((await send(market, approve, { token: admin.access_token })).status).toBe(404);
    await market.admin.query("update users set role = 'user' where email = $1", [admin.email]);
    expect((await send(market, approve, { token: admin.access_token })).status).toBe(401);
    const { access_token: token } = await refresh(market, admin.refresh_token);
    expect((await send(market, approve, { token })).body.error.code).toBe("ADMIN_REQUIRED");
  });
});

describe("secrets", () => {
  it("are in no log line, whatever is logged", async () => {
    const environment = { LOG_LEVEL: "trace", SLOW_QUERY_MS: "0" };
    await using talkative = await startMarketplace({ databaseUrl: market.databaseUrl, environment });
    const { email, ...first } = await register(talkative);
    const second = await refresh(talkative, first.refresh_token);
    await refresh(talkative, second.refresh_token);
    await post(talkative, "/api/auth/refresh", { refresh_token: first.refresh_token });
    await post(talkative, "/api/auth/login", { email, password });
    await post(talkative, "/api/auth/login", { email, password, use_cookie: true });
    await post(talkative, "/api/auth/login", `{"email":"${email}","password":"${password}`);
    await me(talkative, `${first.access_token}x`);
    const { rows } = await market.admin.query<{ secret: string }>(
      `select password_hash as secret from credentials
       union all select encode(hash, 'hex') from refresh_tokens union all select encode(hash, 'base64') from refresh_tokens`,
    );
    const tokens = [first, second].flatMap(({ access_token: access, refresh_token: token }) => [access, token]);
    const log = JSON.stringify(talkative.log.lines);
    expect(log).toContain("A refresh token was used twice");
    for (const secret of [password, ...tokens, ...rows.map((row) => row.secret)]) expect(log).not.toContain(secret);
  });
});
