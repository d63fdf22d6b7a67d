import { systemRandom } from "@sluice/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { accountRepository } from "../src/modules/auth/account-repository.ts";
import { deriveTag, type DeriveTag } from "../src/modules/auth/argon2.ts";
import { createPasswordHasher } from "../src/modules/auth/password-hasher.ts";
import { authService } from "../src/modules/auth/service.ts";
import { sessionRepository } from "../src/modules/auth/session-repository.ts";
import { startMarketplace, type TestMarketplace } from "./support/marketplace.ts";
import { me, password, post, register, send } from "./support/people.ts";

let market: TestMarketplace;
beforeAll(async () => {
  market = await startMarketplace();
});
afterAll(() => market[Symbol.asyncDispose]());

async function count(table: "users" | "credentials" | "sellers"): Promise<number> {
  const { rows } = await market.admin.query<{ count: number }>(`select count(*)::integer as count from ${table}`);
  return rows[0]?.count ?? -1;
}

describe("an account", () => {
  it("is opened, and its owner is logged in", async () => {
    const chosen = { email: "  Ada.Obi@People.Example ", password, name: "Ada Obi", country: "NG" };
    const opened = await post(market, "/api/v1/auth/register", chosen);
    expect([opened.status, opened.body]).toEqual([
      201,
      expect.objectContaining({
        ok: true,
        status: "success",
        data: {
          user: {
            id: expect.any(String),
            email: "ada.obi@people.example",
            name: "Ada Obi",
            role: "user",
            seller: null,
            created_at: expect.any(String),
          },
          access_token: expect.any(String),
          token_type: "Bearer",
          expires_in: 900,
          refresh_token: expect.stringMatching(/^[\w-]{43}$/),
          refresh_expires_in: 2_592_000,
        },
      }),
    ]);
    const { access_token: token } = opened.body.data as { access_token: string };
    expect((await me(market, token)).body.data).toMatchObject({ email: "ada.obi@people.example" });
    expect(opened.headers.get("cache-control")).toBe("no-store");
    expect(opened.headers.get("set-cookie")).toBeNull();
  });

  it("keeps its password as an Argon2id hash of its own", async () => {
    const two = [await register(market), await register(market)];
    const { rows } = await market.admin.query<{ hash: string }>(
      "select password_hash as hash from credentials where user_id = any($1::uuid[])",
      [two.map(({ user }) => user.id)],
    );
    for (const { hash } of rows) expect(hash).toMatch(/^\$argon2id\$v=19\$m=8,t=1,p=1\$[\w+/]{22}\$[\w+/]{43}$/);
    expect(new Set(rows.map(({ hash }) => hash)).size).toBe(2);
  });

  it("is not opened twice for one address, however it is written", async () => {
    const { email, user } = await register(market);
    const again = { email: email.toUpperCase(), password: "another password", name: "Eve" };
    expect(await post(market, "/api/auth/register", again)).toMatchObject({
      status: 409,
      body: { error: { code: "EMAIL_TAKEN" } },
    });
    const login = await post(market, "/api/auth/login", { email, password });
    expect(login).toMatchObject({ status: 200, body: { data: { user: { id: user.id, name: "Ada" } } } });
  });

  it("gets a shop once", async () => {
    const { access_token: token } = await register(market);
    const shop = { name: "Ada's", location: "Lagos" };
    const opened = await send(market, ["POST", "/api/sellers"], { body: shop, token });
    expect(opened).toMatchObject({ status: 201, body: { data: shop } });
    expect(await send(market, ["POST", "/api/sellers"], { body: shop, token })).toMatchObject({
      status: 409,
      body: { error: { code: "ALREADY_A_SELLER" } },
    });
    const { id } = opened.body.data as { id: string };
    expect((await me(market, token)).body.data).toMatchObject({ seller: { id, name: "Ada's" } });
    expect((await post(market, "/api/sellers", shop)).status).toBe(401);
  });

  it.each([
    ["a role", { role: "admin" }],
    ["an id", { id: "00000000-0000-8000-8000-000000000000" }],
    ["a version", { auth_version: 7 }],
    ["a column in another case", { Role: "admin" }],
    ["a nested user", { user: { role: "admin" } }],
  ])("is refused to who names %s for himself", async (_title, more) => {
    const before = await count("users");
    const body = { email: "mallory@people.example", password, name: "Mallory", ...more };
    const answer = await post(market, "/api/auth/register", body);
    expect([answer.status, answer.body.error.code]).toEqual([400, "VALIDATION_FAILED"]);
    expect(await count("users")).toBe(before);
  });

  it.each(['{"__proto__":{"role":"admin"}', '{"constructor":{"prototype":{"role":"admin"}}'])(
    "is refused to %s}",
    async (start) => {
      const body = `${start},"email":"mallory@people.example","password":"${password}","name":"Mallory"}`;
      expect((await post(market, "/api/auth/register", body)).status).toBe(400);
    },
  );
});

describe("a password", () => {
  it.each([
    ["of 7 characters", "a".repeat(7), 400],
    ["of 8 characters", "a".repeat(8), 201],
    ["of 128 characters", "a".repeat(128), 201],
    ["of 129 characters", "a".repeat(129), 400],
    ["of 8 characters outside of the basic plane", "\u{1F511}".repeat(8), 201],
    ["of 7 characters outside of the basic plane", "\u{1F511}".repeat(7), 400],
    ["that is short, but long when it is normalised", "\uFDFA".repeat(1), 201],
    ["that is too long when it is normalised", "\uFDFA".repeat(8), 400],
    ["of a megabyte", "a".repeat(60_000), 400],
    ["with half of a surrogate pair", `12345678\uD800`, 400],
    ["that is a number", 12_345_678, 400],
  ])("%s", async (title, chosen, status) => {
    const email = `${title.replaceAll(/\W/g, "")}@people.example`;
    const answer = await post(market, "/api/auth/register", { email, password: chosen, name: "Ada" });
    expect(answer.status).toBe(status);
  });

  it("is the same however its accents are typed", async () => {
    const { email } = await register(market, { password: "Ẹ̀kọ́ àti ìwé".normalize("NFD") });
    const typed = "Ẹ̀kọ́ àti ìwé".normalize("NFC");
    expect((await post(market, "/api/auth/login", { email, password: typed })).status).toBe(200);
  });
});

describe("logging in", () => {
  it("says the same of an unknown address as of a wrong password", async () => {
    const { email } = await register(market);
    const wrong = await post(market, "/api/auth/login", { email, password: "a wrong password" });
    const unknown = await post(market, "/api/auth/login", { email: "nobody@people.example", password });
    const seeded = await market.admin.query<{ email: string }>("select email from users where email like '%.0@%'");
    const unset = await post(market, "/api/auth/login", { email: seeded.rows[0]?.email, password });
    for (const answer of [wrong, unknown, unset]) {
      expect(answer).toMatchObject({
        status: 401,
        body: { ok: false, error: { code: "INVALID_CREDENTIALS", message: "E-mail address or password is wrong" } },
      });
      expect(answer.headers.get("www-authenticate")).toBe('Bearer realm="marketplace"');
      expect(Object.keys(answer.body.error)).toEqual(Object.keys(wrong.body.error));
    }
  });

  it.each([
    ["a comparison", { $ne: null }],
    ["a list", ["ada@people.example"]],
    ["SQL", "' or '1'='1' --"],
    ["a wildcard", "%@people.example"],
    ["a NUL", "ada\0@people.example"],
    ["a second line", "ada@people.example\nbcc: eve@people.example"],
    ["a letter that only looks like ASCII", "\u212Aada@people.example"],
    ["300 letters", `${"a".repeat(300)}@people.example`],
    ["nothing", null],
  ])("takes no %s for an address", async (_title, email) => {
    for (const path of ["/api/auth/login", "/api/auth/register"]) {
      const answer = await post(market, path, { email, password, ...(path.endsWith("r") ? { name: "Ada" } : {}) });
      expect(answer).toMatchObject({ status: 400, body: { error: { fields: [{ path: "body.email" }] } } });
    }
  });

  it.each([{ $gt: "" }, [password], true, null, ""])("takes no %j for a password", async (typed) => {
    const { email } = await register(market);
    expect((await post(market, "/api/auth/login", { email, password: typed })).status).toBe(400);
  });

  it("does the same work for an unknown address as for a wrong password", async () => {
    const { email } = await register(market);
    const work: object[] = [];
    const derive: DeriveTag = (parameters) => {
      const { message: _message, nonce: _nonce, ...cost } = parameters;
      work.push(cost);
      return deriveTag(parameters);
    };
    const service = authService({
      accounts: accountRepository(market.admin),
      sessions: sessionRepository(market.admin, 1000),
      hasher: createPasswordHasher({ cost: { memoryKib: 8, passes: 1, parallelism: 1 }, derive, random: systemRandom }),
      accessTokens: {
        issue: () => Promise.resolve(""),
        verify: () => Promise.resolve({ ok: false, reason: "invalid" }),
      },
      random: systemRandom,
      refreshLeewayMs: 0,
    });
    for (const address of [email, "nobody@people.example"]) {
      const login = service.logIn({ email: address, password: "a wrong password" });
      await expect(login).rejects.toMatchObject({ code: "INVALID_CREDENTIALS" });
    }
    const once = { memory: 8, passes: 1, parallelism: 1, tagLength: 32 };
    expect(work).toEqual([once, once]);
  });

  it("raises an old hash to today's cost", async () => {
    const { email, user } = await register(market);
    const environment = { ARGON2_MEMORY_KIB: "16", ARGON2_PASSES: "2" };
    await using dearer = await startMarketplace({ databaseUrl: market.databaseUrl, environment });
    const hashOf = async () => {
      const text = "select password_hash as hash from credentials where user_id = $1::uuid";
      return (await market.admin.query<{ hash: string }>(text, [user.id])).rows[0]?.hash;
    };
    expect((await post(dearer, "/api/auth/login", { email, password: "a wrong password" })).status).toBe(401);
    expect(await hashOf()).toContain("m=8,t=1");
    expect((await post(dearer, "/api/auth/login", { email, password })).status).toBe(200);
    expect(await hashOf()).toContain("m=16,t=2");
    expect((await post(market, "/api/auth/login", { email, password })).status).toBe(200);
  });

  it("ends the oldest session beyond twenty", async () => {
    const { email, ...first } = await register(market);
    const login = async () => (await post(market, "/api/auth/login", { email, password })).body.data as typeof first;
    const second = await login();
    for (let session = 3; session <= 20; session += 1) await login();
    expect((await me(market, first.access_token)).status).toBe(200);
    await login();
    expect((await me(market, first.access_token)).status).toBe(401);
    expect((await me(market, second.access_token)).status).toBe(200);
  });
});
