import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { Failure } from "../src/http/failure.ts";
import { decodeCursor, encodeCursor, type Position } from "../src/paging/cursor.ts";

const id = fc.uuid();
const byTime = { name: "p:created_at:desc", kinds: ["timestamp"] } as const;
const byPrice = { name: "p:price:asc", kinds: ["integer"] } as const;
const byScore = { name: "p:relevance", kinds: ["score"] } as const;
const byBoth = { name: "l:recommended", kinds: ["timestamp", "score"] } as const;
const times = fc
  .tuple(
    fc.date({ min: new Date("0001-01-01T00:00:00Z"), max: new Date("9999-12-31T00:00:00Z"), noInvalidDate: true }),
    fc.nat(999),
  )
  .map(([date, micros]) => date.toISOString().replace("Z", `${String(micros).padStart(3, "0")}Z`));

function refusal(cursor: string): unknown {
  try {
    return decodeCursor(byTime, cursor);
  } catch (error) {
    return error instanceof Failure ? [error.status, error.code] : error;
  }
}

function forged(...parts: readonly unknown[]): string {
  return Buffer.from(JSON.stringify(parts)).toString("base64url");
}

const refused = [400, "VALIDATION_FAILED"];
const someId = "00000000-0000-8000-8000-000000000001";
const someTime = "2026-01-31T00:00:00.000123Z";

describe("cursors", () => {
  it("come back as what went in", () => {
    const drawn = fc.tuple(times, fc.maxSafeNat(), fc.double({ min: 0, max: 1e6, noNaN: true }).map(Math.abs));
    fc.assert(
      fc.property(drawn, id, ([time, price, score], row) => {
        const positions = [
          [byTime, [time]],
          [byPrice, [price]],
          [byScore, [score]],
          [byBoth, [time, 0 - score]],
        ] as const;
        for (const [order, values] of positions) {
          expect(decodeCursor(order, encodeCursor(order, { values, id: row }))).toEqual({ values, id: row });
        }
      }),
    );
  });

  it("are refused when they are any other text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(refusal(text)).toEqual(refused);
      }),
    );
  });

  it("are refused when a single character is changed, or mean another valid place", () => {
    const cursor = encodeCursor(byTime, { values: [someTime], id: someId });
    const others = fc.constantFrom("A", "Z", "a", "z", "0", "9", "-", "_", "=", "+", "/", " ");
    fc.assert(
      fc.property(fc.nat(cursor.length - 1), others, (at, character) => {
        const changed = cursor.slice(0, at) + character + cursor.slice(at + 1);
        const outcome = refusal(changed);
        const readBack = Array.isArray(outcome) ? outcome : encodeCursor(byTime, outcome as Position);
        expect([refused, changed]).toContainEqual(readBack);
      }),
    );
  });

  it.each([
    ["of another order", forged(1, "p:price:desc", someTime, someId)],
    ["of another version", forged(2, byTime.name, someTime, someId)],
    ["with something added", forged(1, byTime.name, someTime, someId, 1)],
    ["with one value more", forged(1, byTime.name, someTime, someTime, someId)],
    ["without a value", forged(1, byTime.name, someId)],
    ["with a day that does not exist", forged(1, byTime.name, "2026-02-30T00:00:00.000000Z", someId)],
    ["with a month that does not exist", forged(1, byTime.name, "2026-13-01T00:00:00.000000Z", someId)],
    ["with the year 0", forged(1, byTime.name, "0000-01-01T00:00:00.000000Z", someId)],
    ["with milliseconds only", forged(1, byTime.name, "2026-01-31T00:00:00.000Z", someId)],
    ["with SQL for an id", forged(1, byTime.name, someTime, "'; drop table products; --")],
    ["with a number for a time", forged(1, byTime.name, 1, someId)],
    ["that is no array", Buffer.from("{}").toString("base64url")],
  ])("are refused %s", (_title, cursor) => {
    expect(refusal(cursor)).toEqual(refused);
  });
});
