import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { startMarketplace, type Answer, type TestMarketplace } from "./support/marketplace.ts";
import { register, registerAdmin, registerSeller, send, type Person, type Sent } from "./support/people.ts";
import { simultaneously } from "./support/simultaneous.ts";

let market: TestMarketplace;
let [seller, rival, admin, nobody]: Person[] = [];
const tokens: Record<string, string> = {};
beforeAll(async () => {
  market = await startMarketplace();
  [seller, rival, admin, nobody] = [
    await registerSeller(market),
    await registerSeller(market),
    await registerAdmin(market),
    await register(market),
  ];
  Object.assign(tokens, {
    seller: seller.access_token,
    rival: rival.access_token,
    admin: admin.access_token,
    nobody: nobody.access_token,
  });
});
afterAll(() => market[Symbol.asyncDispose]());

interface Row {
  readonly id: string;
  readonly version: number;
  readonly status?: string;
  readonly updated_at: string;
}

const facts = { name: "Talking drum", description: "Loud and clear.", category: "books", price_minor: 2_500_000 };
const listingFacts = { ...facts, location: "Ibadan" };
const kinds = [
  ["/api/products", facts],
  ["/api/listings", listingFacts],
] as const;

/** Sends a request as one of the people above. */
function as(who: string, [method, path]: readonly [string, string], body?: unknown): Promise<Answer> {
  const sent: Sent = { ...(tokens[who] === undefined ? {} : { token: tokens[who] }), body };
  return send(market, [method, path], sent);
}

/** What the seller has just offered. */
async function offered(path: string): Promise<Row> {
  const answer = await as("seller", ["POST", path], path === "/api/products" ? facts : listingFacts);
  if (answer.status !== 201) throw new Error(JSON.stringify(answer.body));
  return answer.body.data;
}

async function approved(): Promise<Row> {
  const { id } = await offered("/api/listings");
  return (await as("admin", ["POST", `/api/admin/listings/${id}/approve`])).body.data;
}

function codeOf({ status, body }: Answer): readonly unknown[] {
  return [status, body.error.code];
}

describe("a product", () => {
  it("is offered, found, changed, and gone", async () => {
    const added = await as("seller", ["POST", "/api/v1/products"], { ...facts, name: "Zaria drum" });
    const { id } = added.body.data as Row;
    expect(added).toMatchObject({
      status: 201,
      body: { data: { ...facts, name: "Zaria drum", version: 1, currency: "NGN", seller: { name: "Ada's" } } },
    });
    expect(added.headers.get("location")).toBe(`/api/v1/products/${id}`);
    const found = (await market.get("/api/products/search?q=zaria")).body.data as Row[];
    expect(found.map((product) => product.id)).toEqual([id]);

    const change = { price_minor: 1, category: "home" };
    const changed = await as("seller", ["PATCH", `/api/products/${id}`], change);
    expect(changed).toMatchObject({ status: 200, body: { data: { name: "Zaria drum", ...change, version: 2 } } });
    expect((await market.get(`/api/products/${id}`)).body.data).toEqual(changed.body.data);
    expect((changed.body.data as Row).updated_at > (added.body.data as Row).updated_at).toBe(true);

    expect((await as("seller", ["DELETE", `/api/products/${id}`])).body.data).toEqual({ id });
    expect((await market.get(`/api/products/${id}`)).status).toBe(404);
    expect((await market.get("/api/products/search?q=zaria")).body.data).toEqual([]);
    for (const method of ["PATCH", "DELETE"] as const) {
      expect(codeOf(await as("seller", [method, `/api/products/${id}`], { price_minor: 2 }))).toEqual([
        404,
        "NOT_FOUND",
      ]);
    }
  });

  it("may be changed and archived by an administrator", async () => {
    const { id } = await offered("/api/products");
    expect((await as("admin", ["PATCH", `/api/products/${id}`], { name: "Drum" })).status).toBe(200);
    expect((await as("admin", ["DELETE", `/api/products/${id}`])).status).toBe(200);
  });
});

describe("a listing", () => {
  it("is offered, public once approved, changed, and gone", async () => {
    const added = await as("seller", ["POST", "/api/listings"], listingFacts);
    const { id } = added.body.data as Row;
    expect(added).toMatchObject({ status: 201, body: { data: { ...listingFacts, status: "pending", version: 1 } } });
    expect(added.headers.get("location")).toBe(`/api/listings/${id}`);
    expect((await market.get(`/api/listings/${id}`)).status).toBe(404);

    const approval = await as("admin", ["POST", `/api/admin/listings/${id}/approve`]);
    expect(approval).toMatchObject({ status: 200, body: { data: { id, status: "approved", version: 2 } } });
    expect((await market.get(`/api/listings/${id}`)).body.data).toMatchObject({ id, version: 2 });

    const changed = await as("seller", ["PATCH", `/api/listings/${id}`], { location: "Kano" });
    expect(changed).toMatchObject({ status: 200, body: { data: { ...listingFacts, location: "Kano", version: 3 } } });
    const near = (await market.get("/api/public/listings/search?q=talking+drum&location=kano")).body.data as Row[];
    expect(near.map((listing) => listing.id)).toContain(id);

    expect((await as("seller", ["DELETE", `/api/listings/${id}`])).body.data).toEqual({ id });
    expect((await market.get(`/api/listings/${id}`)).status).toBe(404);
    expect((await as("seller", ["DELETE", `/api/listings/${id}`])).status).toBe(404);
  });

  it("is approved once: to say so again is no new version", async () => {
    const { id, version } = await approved();
    const again = await as("admin", ["POST", `/api/admin/listings/${id}/approve`]);
    expect(again.body.data).toMatchObject({ status: "approved", version });
  });

  it.each([
    ["draft", 409],
    ["sold", 409],
    ["rejected", 200],
  ])("that is %s is answered %i when it is to be approved", async (status, expected) => {
    const { id } = await offered("/api/listings");
    await market.admin.query("update listings set status = $2 where id = $1::uuid", [id, status]);
    expect((await as("admin", ["POST", `/api/admin/listings/${id}/approve`])).status).toBe(expected);
  });

  it("is flagged for inspection, and no longer", async () => {
    const { id, version } = await approved();
    const flag = (on: unknown) =>
      as("admin", ["POST", `/api/admin/listings/${id}/inspection`], { inspection_flag: on });
    expect((await flag(true)).body.data).toMatchObject({ inspection_flag: true, version: version + 1 });
    expect((await market.get(`/api/listings/${id}`)).body.data).toMatchObject({ inspection_flag: true });
    expect((await flag(true)).body.data).toMatchObject({ version: version + 1 });
    expect((await flag(false)).body.data).toMatchObject({ inspection_flag: false, version: version + 2 });
    expect((await flag("true")).status).toBe(400);
  });
});

describe.each(kinds)("writes of %s", (path, good) => {
  const table = path === "/api/products" ? "products" : "listings";

  it("keep what two people change at once apart by its version", async () => {
    const { id, version } = await offered(path);
    const change = (name: string) => as("seller", ["PATCH", `${path}/${id}`], { name, version });
    const requests = ["one", "two", "three", "four"].map((name) => () => change(name));
    const answers = await simultaneously(market, { table, id }, requests);
    const [won, ...lost] = answers.toSorted((a, b) => a.status - b.status);
    expect(won).toMatchObject({ status: 200, body: { data: { version: version + 1 } } });
    for (const answer of lost) {
      expect(answer).toMatchObject({
        status: 409,
        body: { error: { code: "VERSION_CONFLICT", version: version + 1 } },
      });
    }
  });

  it("lose no change of another field when they come at once without a version", async () => {
    const { id } = await offered(path);
    const changes = [{ name: "Renamed" }, { price_minor: 7 }, { category: "home" }, { description: "Rewritten." }];
    const requests = changes.map((change) => () => as("seller", ["PATCH", `${path}/${id}`], change));
    await simultaneously(market, { table, id }, requests);
    const { rows } = await market.admin.query(
      `select t.name, t.price_minor::integer as price_minor, c.slug as category, t.description, t.version
       from ${table} t join categories c on c.id = t.category_id where t.id = $1::uuid`,
      [id],
    );
    expect(rows[0]).toEqual({ ...Object.assign({}, ...changes), version: 5 });
  });

  it("see the category that somebody gave it while they waited", async () => {
    const { id } = await offered(path);
    const change = "category_id = (select id from categories where slug = 'home')";
    const rename = () => as("seller", ["PATCH", `${path}/${id}`], { name: "Renamed" });
    const [answer] = await simultaneously(market, { table, id, change }, [rename]);
    expect(answer).toMatchObject({ status: 200, body: { data: { name: "Renamed", category: "home" } } });
  });

  it("need an access token, before anything else is looked at", async () => {
    const { id } = await offered(path);
    for (const [method, url] of [
      ["POST", path],
      ["PATCH", `${path}/${id}`],
      ["DELETE", `${path}/${id}`],
    ] as const) {
      expect(codeOf(await as("anonymous", [method, url], "{bad"))).toEqual([401, "UNAUTHENTICATED"]);
    }
  });

  it("need a shop", async () => {
    for (const who of ["nobody", "admin"]) {
      expect(codeOf(await as(who, ["POST", path], good))).toEqual([403, "SELLER_REQUIRED"]);
    }
  });

  it("are the owner's alone", async () => {
    const { id } = path === "/api/products" ? await offered(path) : await approved();
    const others = path === "/api/products" ? ["rival", "nobody"] : ["rival", "nobody", "admin"];
    for (const who of others) {
      expect(codeOf(await as(who, ["PATCH", `${path}/${id}`], { name: "Mine" }))).toEqual([403, "NOT_OWNER"]);
      expect(codeOf(await as(who, ["DELETE", `${path}/${id}`]))).toEqual([403, "NOT_OWNER"]);
    }
    expect((await market.get(`${path}/${id}`)).body.data).toMatchObject({ name: good.name });
  });

  it.each([
    ["a price below zero", "price_minor", -1],
    ["a price in fractions", "price_minor", 1.5],
    ["a price beyond all bounds", "price_minor", 1_000_000_000_001],
    ["a price as text", "price_minor", "5"],
    ["an empty name", "name", ""],
    ["a name of blanks", "name", "   "],
    ["a name of 201 letters", "name", "a".repeat(201)],
    ["a name with NUL", "name", "a\0b"],
    ["half of a surrogate pair for a name", "name", "\uD800"],
    ["a comparison for a name", "name", { $ne: 1 }],
    ["a description of 10,001 letters", "description", "a".repeat(10_001)],
    ["an unknown category", "category", "no-such-category"],
    ["SQL for a category", "category", "' or '1'='1"],
  ])("refuse %s", async (_title, field, value) => {
    const { id } = await offered(path);
    for (const [method, url] of [
      ["POST", path],
      ["PATCH", `${path}/${id}`],
    ] as const) {
      const body = method === "POST" ? { ...good, [field]: value } : { [field]: value };
      const answer = await as("seller", [method, url], body);
      expect(answer).toMatchObject({
        status: 400,
        body: { error: { code: "VALIDATION_FAILED", fields: [{ path: `body.${field}` }] } },
      });
    }
  });

  it.each([
    { status: "approved" },
    { seller_id: "00000000-0000-8000-8000-000000000000" },
    { inspection_flag: false },
    { currency: "USD" },
    { id: "00000000-0000-8000-8000-000000000000" },
    { created_at: "2020-01-01T00:00:00Z" },
  ])("refuse what is not the client's to say, such as %j", async (more) => {
    const { id } = await offered(path);
    expect((await as("seller", ["POST", path], { ...good, ...more })).status).toBe(400);
    expect((await as("seller", ["PATCH", `${path}/${id}`], { name: "Drum", ...more })).status).toBe(400);
  });

  it("refuse a change of nothing, and an id that is none", async () => {
    const { id } = await offered(path);
    expect((await as("seller", ["PATCH", `${path}/${id}`], { version: 1 })).status).toBe(400);
    expect((await as("seller", ["PATCH", `${path}/1`], { name: "Drum" })).status).toBe(400);
    const missing = "00000000-0000-8000-8000-000000000000";
    expect((await as("seller", ["PATCH", `${path}/${missing}`], { name: "Drum" })).status).toBe(404);
  });

  it("take SQL for the text that it is", async () => {
    const name = "'; drop table listings; --";
    const answer = await as("seller", ["POST", path], { ...good, name });
    expect(answer).toMatchObject({ status: 201, body: { data: { name } } });
    expect(market.log.lines.filter(({ level }) => level === "error")).toEqual([]);
  });
});

describe("a listing that is not public", () => {
  it("does not exist for anybody but its owner", async () => {
    const { id } = await offered("/api/listings");
    for (const who of ["rival", "nobody", "admin"]) {
      expect(codeOf(await as(who, ["PATCH", `/api/listings/${id}`], { name: "Mine" }))).toEqual([404, "NOT_FOUND"]);
      expect(codeOf(await as(who, ["DELETE", `/api/listings/${id}`]))).toEqual([404, "NOT_FOUND"]);
    }
    expect((await as("seller", ["PATCH", `/api/listings/${id}`], { name: "Mine" })).status).toBe(200);
  });
});

describe("admin routes", () => {
  const id = "00000000-0000-8000-8000-000000000000";
  const urls = [
    `/api/admin/listings/${id}/approve`,
    `/api/admin/listings/${id}/inspection`,
    "/api/admin/listings/bulk-import",
    "/api/v1/admin/products/bulk-import",
  ];

  it.each(urls)("%s is for administrators alone", async (url) => {
    expect(codeOf(await as("anonymous", ["POST", url], "{bad"))).toEqual([401, "UNAUTHENTICATED"]);
    for (const who of ["seller", "nobody"]) {
      expect(codeOf(await as(who, ["POST", url], "{bad"))).toEqual([403, "ADMIN_REQUIRED"]);
    }
    expect((await as("admin", ["POST", url], { inspection_flag: true })).status).not.toBe(403);
  });
});
