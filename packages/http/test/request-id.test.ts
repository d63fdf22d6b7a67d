import { seededRandom } from "@sluice/core";
import { requestId } from "@sluice/http";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { hostileText } from "./support/hostile.ts";
import { makeRequest } from "./support/request.ts";
import { seeded } from "./support/seed.ts";

const trace = "0af7651916cd43dd8448eb211c80319c";
const parent = `00-${trace}-b7ad6b7169203331-01`;
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

function idOf(headers: Readonly<Record<string, string>>): string {
  return requestId(makeRequest({ headers }));
}

describe("the request id", () => {
  it.each([
    ["the client's own", { "x-request-id": "order-42.a_B" }, "order-42.a_B"],
    ["the client's own of 128 characters", { "x-request-id": "a".repeat(128) }, "a".repeat(128)],
    ["the client's own before its trace", { "x-request-id": "mine", traceparent: parent }, "mine"],
    ["the trace's", { traceparent: parent }, trace],
    ["the trace's of a later version", { traceparent: `01-${trace}-b7ad6b7169203331-01-more` }, trace],
    ["the trace's when the client's own is not safe", { "x-request-id": "a b", traceparent: parent }, trace],
  ])("is %s", (_title, headers, expected) => {
    expect(idOf(headers)).toBe(expected);
  });

  it.each([
    ["is missing", {}],
    ["is empty", { "x-request-id": "" }],
    ["has blanks", { "x-request-id": "a b" }],
    ["comes twice", { "x-request-id": "a, b" }],
    ["is too long", { "x-request-id": "a".repeat(129) }],
    ["would end a line", { "x-request-id": "a\r\nset-cookie: x" }],
    ["comes with an empty trace", { traceparent: `00-${"0".repeat(32)}-b7ad6b7169203331-01` }],
    ["comes with an empty span", { traceparent: `00-${trace}-${"0".repeat(16)}-01` }],
    ["comes with a forbidden version", { traceparent: parent.replace(/^00/, "ff") }],
    ["comes with a trace in capitals", { traceparent: parent.toUpperCase() }],
  ])("is a new UUID when the client's %s", (_title, headers) => {
    expect(idOf(headers)).toMatch(uuid);
    expect(idOf(headers)).not.toBe(idOf(headers));
  });

  it("is never the same twice", () => {
    const ids = new Set(Array.from({ length: 1000 }, () => requestId(makeRequest())));
    expect([...ids].filter((id) => uuid.test(id))).toHaveLength(1000);
  });

  it("comes from the random that is given", () => {
    const ids = [1, 2].map(() => requestId(makeRequest(), seededRandom(7)));
    expect(ids[0]).toBe(ids[1]);
  });

  it("is safe in a header, a log and a shell, whatever the client sends", () => {
    fc.assert(
      fc.property(hostileText, hostileText, (id, traceparent) => {
        expect(idOf({ "x-request-id": id, traceparent })).toMatch(/^[A-Za-z0-9._-]{1,128}$/);
      }),
      seeded(500),
    );
  });
});
