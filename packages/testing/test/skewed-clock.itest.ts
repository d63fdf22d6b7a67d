import { installSkewedClock } from "@sluice/testing/services";
import { createTestDatabase } from "@sluice/testing/vitest";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const schema = 'odd "name"';
let client: pg.Client;

beforeAll(async () => {
  client = new pg.Client(await createTestDatabase());
  await client.connect();
  await client.query(`create schema "odd ""name"""`);
  await client.query(
    `create function "odd ""name""".sluice_now() returns timestamptz language sql return clock_timestamp()`,
  );
  await installSkewedClock(client, schema);
});

afterAll(() => client.end());

async function offsetSeconds(): Promise<number> {
  const { rows } = await client.query<{ offset: string }>(
    `select round(extract(epoch from "odd ""name""".sluice_now() - clock_timestamp())) as offset`,
  );
  return Number(rows[0]!.offset);
}

describe("a skewed clock", () => {
  it("tells the server's time until a session asks otherwise", async () => {
    expect(await offsetSeconds()).toBe(0);
    await client.query("set sluice.skew = '90 minutes'");
    expect(await offsetSeconds()).toBe(5400);
    await client.query("set sluice.skew = '-1 day'");
    expect(await offsetSeconds()).toBe(-86_400);
    await client.query("reset sluice.skew");
    expect(await offsetSeconds()).toBe(0);
  });

  it("ends with the transaction that set it locally", async () => {
    await client.query("begin");
    await client.query("set local sluice.skew = '1 hour'");
    expect(await offsetSeconds()).toBe(3600);
    await client.query("rollback");
    expect(await offsetSeconds()).toBe(0);
  });

  it("refuses a schema that has no such function", async () => {
    await expect(installSkewedClock(client, "public")).rejects.toThrow('sluice_now(), got "public"');
  });
});
