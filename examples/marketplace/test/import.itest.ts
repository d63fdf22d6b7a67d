import { request as httpRequest, type ClientRequest, type IncomingMessage } from "node:http";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { seededId } from "../src/seed/seeded-id.ts";
import { startMarketplace, type Answer, type TestMarketplace } from "./support/marketplace.ts";
import { registerAdmin, registerSeller, send } from "./support/people.ts";

let market: TestMarketplace;
let token: string;
let seller: string;
let sellerToken: string;
beforeAll(async () => {
  market = await startMarketplace({ environment });
  token = (await registerAdmin(market)).access_token;
  ({ shop: seller, access_token: sellerToken } = await registerSeller(market));
});
afterAll(() => market[Symbol.asyncDispose]());

const environment = { SECRET_KEY: "one secret key for both of the processes", LOG_LEVEL: "info" };
const contentType = "application/x-ndjson";
const products = "/api/admin/products/bulk-import";
const listings = "/api/admin/listings/bulk-import";

interface Report {
  readonly imported: number;
  readonly failed: number;
  readonly errors: readonly { readonly line: number; readonly code: string; readonly message: string }[];
  readonly errors_truncated: boolean;
}

function row(name: string, more: object = {}): object {
  return { seller_id: seller, category: "farm", name, description: "Strong.", price_minor: 100_000, ...more };
}

function lines(rows: readonly object[]): string {
  return `${rows.map((each) => JSON.stringify(each)).join("\n")}\n`;
}

function upload(body: string, path = products): Promise<Answer> {
  return send(market, ["POST", path], { token, body, headers: { "content-type": contentType } });
}

async function imported(name: string, table: "products" | "listings" = "products"): Promise<number> {
  const { rows } = await market.admin.query<{ count: number }>(
    `select count(*)::integer as count from ${table} where name = $1`,
    [name],
  );
  return rows[0]?.count ?? -1;
}

/** An upload whose body is written piece by piece. */
function openUpload(to: TestMarketplace): { upload: ClientRequest; answered: Promise<IncomingMessage> } {
  const headers = { authorization: `Bearer ${token}`, "content-type": contentType };
  const started = httpRequest(to.url + products, { method: "POST", headers });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    started.on("response", resolve);
    started.on("error", reject);
  });
  started.flushHeaders();
  return { upload: started, answered };
}

async function bodyOf(message: IncomingMessage): Promise<Answer["body"]> {
  let text = "";
  for await (const chunk of message) text += String(chunk);
  return JSON.parse(text);
}

const fiveHundred = (name: string): string => lines(Array.from({ length: 500 }, () => row(name)));

describe("a bulk import", () => {
  it("adds products, which are in the lists at once", async () => {
    const answer = await upload(lines([row("Import pump"), row("Import hose")]));
    expect(answer).toMatchObject({
      status: 200,
      body: { data: { imported: 2, failed: 0, errors: [], errors_truncated: false } },
    });
    expect((await market.get("/api/products/search?q=import+pump")).body.data).toHaveLength(1);
  });

  it("adds listings, which wait for approval unless the line says otherwise", async () => {
    const near = { location: "Jos" };
    const two = [row("Waiting", near), row("Approved", { ...near, status: "approved" })];
    expect((await upload(lines(two), listings)).body.data).toMatchObject({ imported: 2, failed: 0 });
    const { rows } = await market.admin.query(
      "select name, status from listings where location = 'Jos' and name in ('Waiting', 'Approved') order by name",
    );
    expect(rows).toEqual([
      { name: "Approved", status: "approved" },
      { name: "Waiting", status: "pending" },
    ]);
    expect((await upload(lines([row("Sold", { ...near, status: "sold" })]), listings)).body.data).toMatchObject({
      imported: 0,
      errors: [{ line: 1, code: "VALIDATION_FAILED" }],
    });
  });

  it("reports each line that is wrong by its number, and takes the others", async () => {
    const known = "0c6f1c0e-5f0a-4c07-9f1b-6a2f3f0d9e11";
    await upload(lines([row("Known", { id: known })]));
    const body = [
      JSON.stringify(row("Good")),
      "",
      "{bad",
      '{"name":"twice","name":"named"}',
      JSON.stringify(row("Good", { price_minor: -1, colour: "red" })),
      JSON.stringify(row("Good", { seller_id: "00000000-0000-8000-8000-000000000000" })),
      JSON.stringify(row("Good", { category: "no-such-category" })),
      JSON.stringify(row("Good", { id: known })),
      JSON.stringify(row("Good", { id: "5f0a0c6f-1c0e-4c07-9f1b-6a2f3f0d9e12" })),
      JSON.stringify(row("Good", { id: "5F0A0C6F-1C0E-4C07-9F1B-6A2F3F0D9E12" })),
      JSON.stringify(row("Good", { description: "a".repeat(60_000) })),
      JSON.stringify(row("Good", { status: "archived" })),
      '{"__proto__":{"seller_id":"x"}}',
      "null",
      JSON.stringify(row("Good")),
    ].join("\r\n");
    const answer = await upload(body);
    const report = answer.body.data as Report;
    expect(report.errors.map(({ line, code }) => [line, code])).toEqual([
      [3, "MALFORMED_JSON"],
      [4, "MALFORMED_JSON"],
      [5, "VALIDATION_FAILED"],
      [6, "UNKNOWN_SELLER"],
      [7, "UNKNOWN_CATEGORY"],
      [8, "ALREADY_EXISTS"],
      [10, "DUPLICATE_ID"],
      [11, "LINE_UNREADABLE"],
      [12, "VALIDATION_FAILED"],
      [13, "VALIDATION_FAILED"],
      [14, "VALIDATION_FAILED"],
    ]);
    expect(report.errors[2]?.message).toMatch(/price_minor: must be at least 0.*colour/);
    expect(report).toMatchObject({ imported: 3, failed: 11 });
    expect(await imported("Good")).toBe(3);
  });

  it("adds nothing when it is sent again with the ids that it had", async () => {
    const rows = Array.from({ length: 600 }, (_, index) => row("Again", { id: seededId("again", index) }));
    expect((await upload(lines(rows))).body.data).toMatchObject({ imported: 600, failed: 0 });
    const again = (await upload(lines(rows))).body.data as Report;
    expect([again.imported, again.failed, again.errors.length, again.errors_truncated]).toEqual([0, 600, 100, true]);
    expect(await imported("Again")).toBe(600);
  });

  it("is safe beside another one of the same rows in another order", async () => {
    const rows = Array.from({ length: 500 }, (_, index) => row("Both", { id: seededId("both", index) }));
    const reports = (await Promise.all([rows, rows.toReversed()].map((each) => upload(lines(each))))).map(
      ({ body }) => body.data as Report,
    );
    expect(reports.reduce((sum, report) => sum + report.imported, 0)).toBe(500);
    expect(await imported("Both")).toBe(500);
  });

  it("takes ten thousand rows, and no more", { timeout: 30_000 }, async () => {
    const rows = Array.from({ length: 10_000 }, () => row("Ten thousand"));
    expect((await upload(lines(rows))).body.data).toMatchObject({ imported: 10_000, failed: 0 });
    const over = await upload(lines([...Array.from({ length: 10_000 }, () => ({})), row("One more")]));
    expect(over).toMatchObject({
      status: 413,
      body: { error: { code: "TOO_MANY_ROWS", progress: { imported: 0, failed: 10_000 } } },
    });
    expect(await imported("One more")).toBe(0);
  });

  it("writes what has come, while the rest is still on its way", async () => {
    const { upload: started, answered } = openUpload(market);
    const all = fiveHundred("Piecemeal");
    started.write(all.slice(0, 70_001));
    started.write(all.slice(70_001));
    await expect.poll(() => imported("Piecemeal")).toBe(500);
    started.end(lines([row("Piecemeal")]));
    expect((await bodyOf(await answered)).data).toMatchObject({ imported: 501, failed: 0 });
  });

  it("keeps whole chunks when the upload breaks off, and nothing of the one under way", async () => {
    const { upload: started, answered } = openUpload(market);
    const broken = answered.catch((error: unknown) => error);
    started.write(fiveHundred("Broken") + lines([row("Broken"), row("Broken")]));
    await expect.poll(() => imported("Broken")).toBe(500);
    started.destroy();
    await broken;
    const noticed = () => market.log.lines.filter(({ message }) => message === "An upload broke off");
    await expect.poll(noticed).toHaveLength(1);
    expect(await imported("Broken")).toBe(500);
    expect(market.log.lines.filter(({ level }) => level === "error")).toEqual([]);
  });

  it("ends when its time is over, and what comes later is not written", async () => {
    await using hasty = await startMarketplace({
      databaseUrl: market.databaseUrl,
      environment: { ...environment, REQUEST_TIMEOUT_MS: "400" },
    });
    const { upload: started, answered } = openUpload(hasty);
    started.on("error", () => undefined);
    started.write(lines([row("Late")]));
    const answer = await answered;
    expect([answer.statusCode, (await bodyOf(answer)).error.code]).toEqual([504, "REQUEST_TIMEOUT"]);
    started.end(fiveHundred("Late"));
    const endings = () => hasty.log.lines.filter(({ message }) => String(message).startsWith("An import was given up"));
    await expect.poll(endings).toEqual([expect.objectContaining({ level: "warn", imported: 0 })]);
    expect(await imported("Late")).toBe(0);
  });

  it("writes all of a chunk or nothing", async () => {
    await market.admin.script(`create function refuse_boom() returns trigger language plpgsql as
      $$ begin raise exception 'boom' using errcode = '57P01'; end $$;
      create trigger refuse_boom before insert on products for each row when (new.name = 'Boom')
      execute function refuse_boom()`);
    const body = fiveHundred("Chunk") + lines([row("Chunk"), row("Boom"), row("Chunk")]);
    expect(await upload(body)).toMatchObject({
      status: 503,
      body: { error: { code: "DATABASE_UNAVAILABLE", progress: { imported: 500, failed: 0 } } },
    });
    expect([await imported("Chunk"), await imported("Boom")]).toEqual([500, 0]);
    await market.admin.script("drop trigger refuse_boom on products; drop function refuse_boom");
  });

  it.each([
    ["another type", { "content-type": "application/json" }, 415],
    ["a length beyond all bounds", { "content-type": contentType, "content-length": "16777217" }, 413],
  ])("refuses %s before it reads", async (_title, headers, status) => {
    const answered = new Promise<IncomingMessage>((resolve) => {
      const started = httpRequest(market.url + products, {
        method: "POST",
        headers: { ...headers, authorization: `Bearer ${token}` },
      });
      started.on("response", (response) => {
        resolve(response);
        started.destroy();
      });
      started.on("error", () => undefined);
      if (status === 415) started.end("{}");
      else started.flushHeaders();
    });
    expect((await answered).statusCode).toBe(status);
  });

  it("refuses a body that turns out to be too large", async () => {
    const answer = await upload(" ".repeat(16_777_216) + lines([row("Too large")]));
    expect([answer.status, answer.body.error.code]).toEqual([413, "BODY_TOO_LARGE"]);
  });

  it("takes no such body on other routes", async () => {
    const answer = await send(market, ["POST", "/api/products"], {
      token: sellerToken,
      body: lines([row("Elsewhere")]),
      headers: { "content-type": contentType },
    });
    expect([answer.status, answer.body.error.code]).toEqual([415, "UNSUPPORTED_MEDIA_TYPE"]);
  });
});
