import { connect } from "node:net";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { request, startMarketplace, type TestMarketplace } from "./support/marketplace.ts";

let market: TestMarketplace;
beforeAll(async () => {
  market = await startMarketplace();
});
afterAll(() => market[Symbol.asyncDispose]());

const lists = [
  "/api/products",
  "/api/products/search?q=phone",
  "/api/public/listings/search",
  "/api/public/listings/recommended",
];
const all = [...lists, "/api/products/search/facets", "/api/categories"];

/** Adds to a path's query. */
function and(path: string, query: string): string {
  return `${path}${path.includes("?") ? "&" : "?"}${query}`;
}

async function idsOf(path: string): Promise<string[]> {
  const { body } = await market.get(path);
  return (body.data as { id: string }[]).map(({ id }) => id);
}

describe("routes", () => {
  it.each(all)("%s answers under both prefixes", async (path) => {
    for (const url of [path, path.replace("/api/", "/api/v1/")]) {
      const { status, body } = await market.get(url);
      expect([status, body]).toEqual([200, expect.objectContaining({ ok: true, status: "success" })]);
    }
  });

  it("show one product and one listing by id", async () => {
    for (const kind of ["/api/products", "/api/listings"]) {
      const list = kind === "/api/products" ? kind : "/api/public/listings/search";
      const [id = ""] = await idsOf(and(list, "limit=1"));
      const { status, body } = await market.get(`${kind}/${id.toUpperCase()}`);
      expect([status, body.data]).toEqual([200, expect.objectContaining({ id, version: expect.any(Number) })]);
    }
  });

  it("answer 404 for a row that is not there, and for one that is not public", async () => {
    const { rows } = await market.admin.query<{ id: string }>(
      "select id from listings where status <> 'approved' limit 1",
    );
    for (const id of ["00000000-0000-8000-8000-000000000000", rows[0]?.id]) {
      expect(await market.get(`/api/listings/${id}`)).toMatchObject({
        status: 404,
        body: { error: { code: "NOT_FOUND" } },
      });
    }
  });

  it("never list what is not public", async () => {
    const { rows } = await market.admin.query<{ count: number }>(
      "select count(*)::integer as count from listings where status = 'approved' and location = 'Lagos'",
    );
    let path: string | null = "/api/public/listings/search?location=lagos&limit=100";
    let seen = 0;
    while (path !== null) {
      const { body } = await market.get(path);
      seen += (body.data as unknown[]).length;
      const next: string | null = body.page.next_cursor;
      path = next === null ? null : `/api/public/listings/search?location=lagos&limit=100&cursor=${next}`;
    }
    expect(seen).toBe(rows[0]?.count);
  });

  it("keep to both bounds of a price, and to a category", async () => {
    const { body } = await market.get(
      "/api/products?category=phones&min_price=5000000&max_price=9000000&sort=price&order=asc&limit=100",
    );
    const cards = body.data as { price_minor: number; category: string }[];
    const prices = cards.map((card) => card.price_minor);
    expect(cards.length).toBeGreaterThan(3);
    expect(prices).toEqual(prices.toSorted((a, b) => a - b));
    expect([Math.min(...prices) >= 5_000_000, Math.max(...prices) <= 9_000_000]).toEqual([true, true]);
    expect(new Set(cards.map((card) => card.category))).toEqual(new Set(["phones"]));
  });

  it("rank what is named so above what is described so", async () => {
    await market.admin.script(`insert into products (id, seller_id, category_id, name, description, price_minor)
      select gen_random_uuid(), seller_id, category_id, v.name, v.text, 1 from products,
      (values ('zanzibar clock', 'a thing'), ('a thing', 'zanzibar clock')) as v (name, text) limit 2`);
    const { body } = await market.get("/api/products/search?q=zanzibar");
    expect((body.data as { name: string }[]).map(({ name }) => name)).toEqual(["zanzibar clock", "a thing"]);
  });

  it("forgive a misspelt word", async () => {
    const { rows } = await market.admin.query("select 1 from pg_extension where extname = 'pg_trgm'");
    expect((await idsOf("/api/products/search?q=genarator")).length > 0).toBe(rows.length > 0);
  });

  it("tell crawlers and scripts what there is", async () => {
    const openApi = (await (await fetch(`${market.url}/openapi.json`)).json()) as { openapi: string; paths: object };
    expect(openApi.openapi).toBe("3.1.0");
    expect(Object.keys(openApi.paths)).toEqual(
      expect.arrayContaining(["/api/products", "/api/public/listings/recommended", "/api/v1/listings/{id}"]),
    );
    const page = await (await fetch(`${market.url}/docs`)).text();
    expect(page).not.toMatch(/(src|href)="(https?:)?\/\//);
    expect((await fetch(`${market.url}/docs/static/swagger-ui.css`)).status).toBe(200);
  });

  it("count requests by pattern, never by URL", async () => {
    await market.get("/api/products/00000000-0000-8000-8000-00000000beef");
    const text = await (await fetch(`${market.url}/metrics`)).text();
    expect(text).toMatch(/http_requests_total\{method="GET",route="\/api\/products\/:id",status="404"\} \d/);
    expect(text).toMatch(/http_request_duration_seconds_bucket/);
    expect(text).toMatch(/db_pool_connections\{host="[\w.:-]+",state="idle"\} \d/);
    expect(text).not.toContain("beef");
  });
});

describe("hostile input", () => {
  it.each(["0", "-1", "1e9", "1000000000", "1.5", "NaN", "abc", "", "%20", "0x10", "101", "1&limit=2", "%00"])(
    "limit=%s is a 400 that names it",
    async (value) => {
      for (const path of lists) {
        const { status, body } = await market.get(and(path, `limit=${value}`));
        expect([status, body.error.fields?.[0]?.path]).toEqual([400, "query.limit"]);
      }
    },
  );

  it.each([
    "min_price=-1",
    "max_price=1e5",
    "min_price=99999999999999999999",
    "cursor=AAAA",
    "cursor=%00",
    "category=%00",
    `category=${"a".repeat(65)}`,
    "category=a&category=b",
    "cursor=",
  ])("%s is a 400", async (query) => {
    for (const path of lists) expect((await market.get(and(path, query))).status).toBe(400);
  });

  it.each([
    "/api/products?sort=name",
    "/api/products?order=up",
    "/api/products/search",
    "/api/products/search?q=",
    "/api/public/listings/search?sort=relevance",
    `/api/products/search?q=${"a".repeat(201)}`,
    "/api/products/search?q=%00",
    "/api/products/1",
    "/api/listings/%27%20or%201%3D1",
    "/api/listings/%00",
  ])("%s is a 400", async (path) => {
    expect((await market.get(path)).status).toBe(400);
  });

  it.each([
    "'; drop table products; --",
    "\\",
    "'\"",
    "%' or '1'='1",
    "a:*&!()<->|",
    "$1 $2",
    '"',
    "-",
    "or or",
    "the",
    "\u{1F600} Ẹ̀kọ́ \u202E",
  ])("words such as %s are words", async (text) => {
    const words = encodeURIComponent(text);
    for (const path of [
      "/api/products/search?q=",
      "/api/public/listings/search?q=",
      "/api/products/search/facets?q=",
    ]) {
      expect((await market.get(path + words)).status).toBe(200);
    }
    expect((await market.get(`/api/products?category=${words}`)).body.data).toEqual([]);
  });

  it.each(["%", "%zz", "%ED%A0%80", "%FF%FE", "a%00b"])("escapes such as %s break nothing", async (text) => {
    for (const path of [`/api/products/search?q=${text}`, `/api/products/${text}`, `/${text}`]) {
      expect((await market.get(path)).status).toBeLessThan(500);
    }
  });

  it.each(all)("%s takes no other method and no body", async (path) => {
    const known = path === "/api/products" ? ["GET", "HEAD", "OPTIONS", "POST"] : ["GET", "HEAD", "OPTIONS"];
    const bodies = ["{bad", JSON.stringify({ a: 1 }), "x".repeat(1_000_000)];
    for (const method of ["POST", "PUT", "PATCH", "DELETE", "PROPFIND"].filter((each) => !known.includes(each))) {
      for (const body of bodies) {
        const answer = await request(market.url + path, {
          method,
          body,
          headers: { "content-type": "application/json" },
        });
        const refused = body.length > 100_000 ? [413, null] : [405, known.join(", ")];
        expect([answer.status, answer.headers.get("allow")]).toEqual(refused);
      }
    }
  });

  it.each([
    ["nonsense", "NONSENSE\r\n\r\n", [400, "MALFORMED_REQUEST"]],
    [
      "a header that is too large",
      `GET / HTTP/1.1\r\nhost: a\r\nx: ${"a".repeat(20_000)}\r\n\r\n`,
      [431, "HEADERS_TOO_LARGE"],
    ],
    [
      "a query that is too large",
      `GET /api/products?q=${"a".repeat(20_000)} HTTP/1.1\r\nhost: a\r\n\r\n`,
      [431, "HEADERS_TOO_LARGE"],
    ],
    [
      "two lengths",
      "POST /api/products HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
      [400, "MALFORMED_REQUEST"],
    ],
  ] as const)("%s is answered in JSON", async (_title, text, [status, code]) => {
    const reply = await raw(text);
    expect(reply).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    const body: unknown = JSON.parse(reply.slice(reply.indexOf("\r\n\r\n")));
    expect(body).toMatchObject({ ok: false, error: { code }, trace_id: /x-request-id: (.*)\r/.exec(reply)?.[1] });
  });

  it("leaves the tables as they were", async () => {
    expect((await market.get("/api/products")).status).toBe(200);
    expect(market.log.lines.filter(({ level }) => level === "error")).toEqual([]);
  });
});

function raw(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(market.url).port), "127.0.0.1", () => socket.write(text));
    let reply = "";
    socket.on("data", (chunk) => (reply += chunk.toString()));
    socket.on("end", () => resolve(reply));
    socket.on("error", reject);
  });
}
