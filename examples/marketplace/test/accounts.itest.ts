import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { withAdministrator } from "../src/infra/database.ts";
import { ensureAdministrator, ensureSeedPassword, passwordHasher } from "../src/modules/auth/index.ts";
import { prepareAccounts } from "../src/prepare.ts";
import { configOf } from "./support/config.ts";
import { seededDatabase, startMarketplace, type TestMarketplace } from "./support/marketplace.ts";
import { me, password, post, register, type Session } from "./support/people.ts";

const hasher = passwordHasher({ memoryKib: 8, passes: 1, parallelism: 1 });
let market: TestMarketplace;
beforeAll(async () => {
  market = await startMarketplace();
});
afterAll(() => market[Symbol.asyncDispose]());

async function logIn(email: string, typed: string): Promise<Session | undefined> {
  const answer = await post(market, "/api/auth/login", { email, password: typed });
  return answer.status === 200 ? answer.body.data : undefined;
}

describe("the administrator of the configuration", () => {
  it("is made once, by however many processes that start at once", async () => {
    const admin = { email: "root@people.example", password };
    const made = await Promise.all(
      [1, 2, 3, 4].map(() =>
        withAdministrator(market.databaseUrl, (database) => ensureAdministrator(database, admin, hasher)),
      ),
    );
    expect(made.filter(Boolean)).toHaveLength(1);
    expect(await logIn(admin.email, password)).toMatchObject({ user: { role: "admin" } });
  });

  it("keeps its sessions while its password stays, and loses them with it", async () => {
    const admin = { email: "chief@people.example", password };
    await ensureAdministrator(market.admin, admin, hasher);
    const session = await logIn(admin.email, password);
    expect(await ensureAdministrator(market.admin, admin, hasher)).toBe(false);
    expect((await me(market, session?.access_token ?? "")).status).toBe(200);
    expect(await ensureAdministrator(market.admin, { ...admin, password: "another password" }, hasher)).toBe(true);
    expect((await me(market, session?.access_token ?? "")).status).toBe(401);
    expect([await logIn(admin.email, password), await logIn(admin.email, "another password")]).toEqual([
      undefined,
      expect.objectContaining({ token_type: "Bearer" }),
    ]);
  });

  it("takes over an account that somebody has opened with its address, whose sessions end", async () => {
    const squatter = await register(market);
    await ensureAdministrator(market.admin, { email: squatter.email, password: "another password" }, hasher);
    expect((await me(market, squatter.access_token)).status).toBe(401);
    expect(await logIn(squatter.email, password)).toBeUndefined();
    const body = { refresh_token: squatter.refresh_token };
    expect((await post(market, "/api/auth/refresh", body)).status).toBe(401);
    expect(await logIn(squatter.email, "another password")).toMatchObject({ user: { role: "admin" } });
  });
});

describe("the users of the seed data", () => {
  it("log in with one password and one hash, and nobody else does", async () => {
    const registered = await register(market, { password: "a password of my own" });
    await ensureSeedPassword(market.admin, "the password of all", hasher);
    await ensureSeedPassword(market.admin, "another password", hasher);
    const { rows } = await market.admin.query<{ email: string; hash: string }>(
      `select u.email, c.password_hash as hash from users u join credentials c on c.user_id = u.id
       where u.email like '%@example.com' order by u.email`,
    );
    expect([rows.length, new Set(rows.map(({ hash }) => hash)).size]).toEqual([200, 1]);
    expect(await logIn(rows[0]?.email ?? "", "the password of all")).toMatchObject({ token_type: "Bearer" });
    expect(await logIn(registered.email, "the password of all")).toBeUndefined();
  });
});

describe("a database of one's own", () => {
  it("gets no account that a stranger could know, and those that the start is told of", async () => {
    const databaseUrl = await seededDatabase();
    const prepare = async (more: Record<string, string>): Promise<number | undefined> => {
      const { config } = configOf({ DATABASE_URL: databaseUrl, ARGON2_MEMORY_KIB: "8", ARGON2_PASSES: "1", ...more });
      await prepareAccounts([databaseUrl], config.auth);
      return withAdministrator(databaseUrl, async (database) => {
        const text = "select count(*)::integer as count from credentials";
        return (await database.query<{ count: number }>(text)).rows[0]?.count;
      });
    };
    expect(await prepare({})).toBe(0);
    expect(await prepare({ SEED_PASSWORD: "the password of all" })).toBe(200);
    expect(await prepare({ ADMIN_EMAIL: "root@example.org", ADMIN_PASSWORD: password })).toBe(201);
  });
});
