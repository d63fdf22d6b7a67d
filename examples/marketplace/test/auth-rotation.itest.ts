import { testSeed } from "@sluice/testing";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { emptyDatabase, startMarketplace, type TestMarketplace } from "./support/marketplace.ts";
import { me, post, register, type Tokens } from "./support/people.ts";

let market: TestMarketplace;
beforeAll(async () => {
  market = await startMarketplace({ databaseUrl: await emptyDatabase() });
});
afterAll(() => market[Symbol.asyncDispose]());

const second = 1000;
const [leewayMs, lifetimeMs] = [20 * second, 30 * 86_400 * second];

/** What a session does, in a few lines: no locks, no hashes, no database. */
interface Model {
  nowMs: number;
  ended: boolean;
  /** In the order of their making. The last one is the one to use. */
  readonly tokens: { readonly text: string; readonly issuedMs: number; rotatedMs?: number }[];
}

type Expected = "next" | "same" | "refused";

/** What using token `index` gives, and what becomes of the session. */
function use(model: Model, index: number): Expected {
  const token = model.tokens[index];
  if (token === undefined || model.ended || model.nowMs - token.issuedMs >= lifetimeMs) return "refused";
  if (index === model.tokens.length - 1) {
    token.rotatedMs = model.nowMs;
    return "next";
  }
  if (index === model.tokens.length - 2 && model.nowMs - (token.rotatedMs ?? 0) < leewayMs) return "same";
  model.ended = true;
  return "refused";
}

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ use: fc.integer({ min: 0, max: 3 }) }) },
  { weight: 2, arbitrary: fc.record({ passMs: fc.constantFrom(9 * second, 21 * second) }) },
  { weight: 1, arbitrary: fc.record({ passMs: fc.constantFrom(lifetimeMs / 2, lifetimeMs) }) },
);

async function pass(userId: string, ms: number): Promise<void> {
  await market.admin.query(
    `update refresh_tokens t set expires_at = expires_at - $2::float8 * interval '1 ms',
       rotated_at = rotated_at - $2::float8 * interval '1 ms'
     from refresh_families f where f.id = t.family_id and f.user_id = $1::uuid`,
    [userId, ms],
  );
}

/** Uses the token that is `back` from the newest, and holds the answer against the model. */
async function check(model: Model, back: number): Promise<void> {
  const index = Math.max(0, model.tokens.length - 1 - back);
  const newest = model.tokens.at(-1)?.text;
  const expected = use(model, index);
  const answer = await post(market, "/api/auth/refresh", { refresh_token: model.tokens[index]?.text });
  expect(answer.status).toBe(expected === "refused" ? 401 : 200);
  if (expected === "refused") return;
  const { refresh_token: given, access_token: access } = answer.body.data as Tokens;
  expect(given === newest).toBe(expected === "same");
  if (expected === "next") model.tokens.push({ text: given, issuedMs: model.nowMs });
  expect((await me(market, access)).status).toBe(200);
}

describe("a session", () => {
  it("does in every history what its model does", { timeout: 60_000 }, async () => {
    const history = fc.array(step, { minLength: 3, maxLength: 14 });
    const property = fc.asyncProperty(history, async (steps) => {
      const { user, access_token: access, refresh_token: text } = await register(market);
      const model: Model = { nowMs: 0, ended: false, tokens: [{ text, issuedMs: 0 }] };
      for (const each of steps) {
        if ("use" in each) await check(model, each.use);
        else {
          await pass(user.id, each.passMs);
          model.nowMs += each.passMs;
        }
      }
      expect((await me(market, access)).status).toBe(model.ended ? 401 : 200);
    });
    await fc.assert(property, { seed: testSeed(), numRuns: 25 });
  });
});
