import { describe, expect, it } from "vitest";

import { idInPath } from "../src/cache/path-id.ts";
import { isPersonal } from "../src/cache/public-reply.ts";
import { withoutTraceId, withTraceId } from "../src/cache/trace-mark.ts";
import { ok, okPage } from "../src/http/envelope.ts";
import { spelledOut } from "../src/modules/listings/listing-queries.ts";
import { problemsOf } from "./support/config.ts";

const bytes = (body: object): Uint8Array => Buffer.from(JSON.stringify(body));
const text = (body: Uint8Array): string => Buffer.from(body).toString();

describe("a stored body", () => {
  const hostile = { name: '"trace_id":"one"', note: "trace_id" };
  const bodies = (id: string) => [
    ok(id, hostile),
    okPage(id, { items: [hostile], nextCursor: null, limit: 1 }),
    ok(id, { name: "Ọ̀yọ́ 🥁" }),
  ];

  it("is the same whoever asked first", () => {
    const [one, other] = ["one", "another-request.2"].map((id) =>
      bodies(id).map((body) => text(withoutTraceId(bytes(body), id))),
    );
    expect(one).toEqual(other);
    expect(one?.join("")).not.toContain('"trace_id":"one"}');
  });

  it("goes out with the id of the request that it answers, and otherwise as it was", () => {
    const sent = bodies("one").map((body) => text(withTraceId(withoutTraceId(bytes(body), "one"), "two")));
    expect(sent).toEqual(bodies("two").map((body) => JSON.stringify(body)));
  });
});

describe("what is asked for", () => {
  it("is one search, whether its order is spelled or not", () => {
    expect(spelledOut({ limit: 20 })).toEqual(spelledOut({ limit: 20, sort: "newest" }));
    expect(spelledOut({ limit: 20, q: "drum" })).toEqual(spelledOut({ limit: 20, q: "drum", sort: "relevance" }));
    expect(spelledOut({ limit: 20, q: "drum" })).not.toEqual(spelledOut({ limit: 20, q: "drum", sort: "newest" }));
  });

  it("is the id that the route reads, in any case of letters, and nothing else", () => {
    const id = "05a671f6-ae5c-8f58-baf4-14a7fff6804b";
    expect(idInPath({ path: `/api/v1/products/${id.toUpperCase()}` })).toBe(id);
    for (const path of ["/api/products/", "/api/products/search", `/api/products/${id}%20`]) {
      expect([path, idInPath({ path })]).toEqual([path, undefined]);
    }
  });

  it("is somebody's own with a token or a cookie", () => {
    expect([{}, { authorization: "Bearer x" }, { cookie: "a=b" }].map(isPersonal)).toEqual([false, true, true]);
  });
});

describe("a variable of the cache that is malformed", () => {
  it.each([
    ["DEFAULT_CACHE_TTL_SECONDS", "1m"],
    ["LISTING_DETAIL_CACHE_TTL_SECONDS", "-1"],
    ["FEED_CACHE_TTL_SECONDS", "1.5"],
    ["CACHE_DEADLINE_MS", "0"],
    ["ENABLE_CACHE", "maybe"],
  ])("is named: %s=%s", (name, value) => {
    expect(problemsOf({ [name]: value })).toEqual([expect.stringMatching(new RegExp(`^${name} must be .*${value}`))]);
  });
});
