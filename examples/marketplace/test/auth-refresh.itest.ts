import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { sessionRepository } from "../src/modules/auth/session-repository.ts";
import { emptyDatabase, startMarketplace, type Answer, type TestMarketplace } from "./support/marketplace.ts";
import { me, post, refresh, register, type Session, type Tokens } from "./support/people.ts";
import { simultaneously } from "./support/simultaneous.ts";

let market: TestMarketplace;
let strict: TestMarketplace;
beforeAll(async () => {
  const environment = { SECRET_KEY: "one secret key for both of the processes" };
  market = await startMarketplace({ databaseUrl: await emptyDatabase(), environment });
  strict = await startMarketplace({
    databaseUrl: market.databaseUrl,
    environment: { ...environment, REFRESH_LEEWAY: "0s" },
  });
});
afterAll(async () => {
  await market[Symbol.asyncDispose]();
  await strict[Symbol.asyncDispose]();
});

function tryRefresh(on: TestMarketplace, token: string): Promise<Answer> {
  return post(on, "/api/auth/refresh", { refresh_token: token });
}

async function refused(on: TestMarketplace, token: string): Promise<void> {
  expect(await tryRefresh(on, token)).toMatchObject({ status: 401, body: { error: { code: "REFRESH_INVALID" } } });
}

/** Lets time pass for all tokens of a user. */
async function pass(userId: string, interval: string): Promise<void> {
  await market.admin.query(
    `update refresh_tokens t set issued_at = issued_at - $2::interval, expires_at = expires_at - $2::interval,
       rotated_at = rotated_at - $2::interval
     from refresh_families f where f.id = t.family_id and f.user_id = $1::uuid`,
    [userId, interval],
  );
}

/** How the families of a user ended, oldest first. */
async function endings(userId: string): Promise<(string | null)[]> {
  const { rows } = await market.admin.query<{ why: string | null }>(
    "select revoked_for as why from refresh_families where user_id = $1::uuid order by created_at",
    [userId],
  );
  return rows.map(({ why }) => why);
}

/** How many tokens of a user are the last of their chain, and how many there are. */
async function chain(userId: string): Promise<{ last: number; all: number }> {
  const { rows } = await market.admin.query<{ last: number; all: number }>(
    `select count(*) filter (where t.rotated_at is null)::integer as last, count(*)::integer as all
     from refresh_tokens t join refresh_families f on f.id = t.family_id where f.user_id = $1::uuid`,
    [userId],
  );
  return rows[0] ?? { last: -1, all: -1 };
}

/** Eight refreshes of one token at once. */
async function eightTimes(on: TestMarketplace, { refresh_token: token, user }: Session): Promise<Answer[]> {
  const { rows } = await market.admin.query<{ id: string }>(
    "select id from refresh_families where user_id = $1::uuid",
    [user.id],
  );
  const row = { table: "refresh_families", id: rows[0]?.id ?? "" } as const;
  return simultaneously(
    on,
    row,
    Array.from({ length: 8 }, () => () => tryRefresh(on, token)),
  );
}

describe("a refresh token", () => {
  it("is replaced by its use, together with the access token", async () => {
    const first = await register(market);
    const second = await refresh(market, first.refresh_token);
    expect(second.refresh_token).not.toBe(first.refresh_token);
    expect((await me(market, second.access_token)).status).toBe(200);
    expect((await refresh(market, second.refresh_token)).refresh_token).not.toBe(second.refresh_token);
    expect(await chain(first.user.id)).toEqual({ last: 1, all: 3 });
  });

  it("is stored as nothing that could be used", async () => {
    const { user, ...first } = await register(market);
    const second = await refresh(market, first.refresh_token);
    const { rows } = await market.admin.query<{ text: string }>(
      `select t::text as text from refresh_tokens t join refresh_families f on f.id = t.family_id
       where f.user_id = $1::uuid`,
      [user.id],
    );
    for (const token of [first.refresh_token, second.refresh_token]) {
      const forms = [token, Buffer.from(token).toString("hex"), Buffer.from(token, "base64url").toString("hex")];
      for (const form of forms) expect(JSON.stringify(rows)).not.toContain(form);
    }
  });

  it("gives its successor again to who asks twice, such as two tabs or a reply that was lost", async () => {
    const { user, refresh_token: first } = await register(market);
    const second = await refresh(market, first);
    await pass(user.id, "19 s");
    const again = await refresh(market, first);
    expect(again.refresh_token).toBe(second.refresh_token);
    expect((await me(market, again.access_token)).status).toBe(200);
    expect(await chain(user.id)).toEqual({ last: 1, all: 2 });
  });

  it("ends its session when it is used again after the leeway, for thief and owner alike", async () => {
    const { user, refresh_token: first } = await register(market);
    const second = await refresh(market, first);
    await pass(user.id, "21 s");
    await refused(market, first);
    expect((await me(market, second.access_token)).body.error.code).toBe("TOKEN_INVALID");
    await refused(market, second.refresh_token);
    expect(await endings(user.id)).toEqual(["reuse"]);
    const line = market.log.lines.find(({ user_id: who }) => who === user.id);
    expect(line).toMatchObject({ level: "warn", message: expect.stringContaining("used twice") });
  });

  it("ends its session when it is used again though its successor was used already", async () => {
    const { user, refresh_token: first } = await register(market);
    const second = await refresh(market, first);
    const third = await refresh(market, second.refresh_token);
    await refused(market, first);
    await refused(market, third.refresh_token);
    expect(await endings(user.id)).toEqual(["reuse"]);
  });

  it("betrays a thief who took part in the leeway as soon as one of the two moves on", async () => {
    const { user, refresh_token: stolen } = await register(market);
    const owner = await refresh(market, stolen);
    const thief = await refresh(market, stolen);
    await refresh(market, thief.refresh_token);
    await pass(user.id, "21 s");
    await refused(market, owner.refresh_token);
    expect(await endings(user.id)).toEqual(["reuse"]);
  });

  it("ends no other session of the same account", async () => {
    const { email, user, refresh_token: first } = await register(market);
    const login = await post(market, "/api/auth/login", { email, password: "correct horse battery" });
    await refresh(market, first);
    await pass(user.id, "21 s");
    await refused(market, first);
    await refresh(market, (login.body.data as Tokens).refresh_token);
    expect(await endings(user.id)).toEqual(["reuse", null]);
  });

  it("gives one successor to eight simultaneous uses", async () => {
    const person = await register(market);
    const answers = await eightTimes(market, person);
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 200));
    expect(new Set(answers.map(({ body }) => (body.data as Tokens).refresh_token)).size).toBe(1);
    expect(await chain(person.user.id)).toEqual({ last: 1, all: 2 });
  });

  it("has one winner of eight simultaneous uses where there is no leeway, and then none", async () => {
    const person = await register(strict);
    const answers = await eightTimes(strict, person);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
      200,
      ...Array.from({ length: 7 }, () => 401),
    ]);
    const winner = answers.find(({ status }) => status === 200)?.body.data as Tokens | undefined;
    await refused(strict, winner?.refresh_token ?? "");
    expect(await endings(person.user.id)).toEqual(["reuse"]);
  });

  it("expires, and its use is no theft then", async () => {
    const { user, refresh_token: first } = await register(market);
    await refresh(market, first);
    await pass(user.id, "30 days");
    await refused(market, first);
    expect(await endings(user.id)).toEqual([null]);
  });

  it("begins its thirty days anew with each use", async () => {
    const { user, refresh_token: first } = await register(market);
    await pass(user.id, "29 days");
    const second = await refresh(market, first);
    await pass(user.id, "29 days");
    expect((await tryRefresh(market, second.refresh_token)).status).toBe(200);
  });

  it.each(["", "a".repeat(42), "a".repeat(44), "a".repeat(43), `${"a".repeat(42)}=`, "' or '1'='1", "a\0b", "%00"])(
    "is none of the form %j",
    async (token) => {
      const answer = await tryRefresh(market, token);
      expect([400, 401]).toContain(answer.status);
    },
  );

  it.each([{ $ne: "" }, ["a"], 1, true, null])("is not %j", async (token) => {
    const answer = await post(market, "/api/auth/refresh", { refresh_token: token });
    expect(answer).toMatchObject({ status: 400, body: { error: { fields: [{ path: "body.refresh_token" }] } } });
  });

  it("is forgotten when it has expired, with the families that it was the last of", async () => {
    const [gone, kept] = [await register(market), await register(market)];
    await refresh(market, gone.refresh_token);
    await pass(gone.user.id, "31 days");
    const sessions = sessionRepository(market.admin, 1000);
    await Promise.all([sessions.collectGarbage(), sessions.collectGarbage()]);
    expect([await chain(gone.user.id), await endings(gone.user.id)]).toEqual([{ last: 0, all: 0 }, []]);
    await refresh(market, kept.refresh_token);
  });
});
