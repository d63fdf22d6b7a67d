import { describe, expect, it } from "vitest";

import { readOptions } from "../src/demo/options.ts";
import { failuresOf, outcomeOf, type Outcome } from "../src/demo/outcome.ts";
import { reportLines } from "../src/demo/report.ts";
import { spreadOf } from "../src/demo/spread.ts";

const totals = { sold: 500, refused: 9500, oversold: 0, lost: 0, confirmed: 7, violations: 0 };

function outcome(differences: Partial<Outcome> = {}): Outcome {
  const accepted = Array.from({ length: 100 }, (_, index) => ({ orderId: "", tookMs: index + 1, acceptMs: 2 }));
  return { ...outcomeOf({ accepted, refused: 0, others: {}, repeats: 0, elapsedMs: 3210 }, totals), ...differences };
}

describe("the options of a flash sale", () => {
  it("are those of the requirement where nothing is said", () => {
    expect(readOptions([])).toMatchObject({ buyers: 10_000, units: 500, naive: true, json: false });
    expect(readOptions(["--buyers", "50", "--units=7", "--no-naive", "--json"])).toMatchObject({
      buyers: 50,
      units: 7,
      naive: false,
      json: true,
    });
    expect(readOptions(["--help"])).toBeUndefined();
  });

  it.each([["--buyers=0"], ["--buyers", "1e3"], ["--units=-1"], ["--sockets=1001"], ["--cheat"], ["stray"]])(
    "refuse %s %s",
    (...args) => {
      expect(() => readOptions(args)).toThrow(TypeError);
    },
  );
});

describe("a flash sale", () => {
  it("has kept its promises when it sold what there was, or what was wanted, and nothing else", () => {
    expect(failuresOf(outcome(), { buyers: 10_000, units: 500 })).toEqual([]);
    expect(failuresOf(outcome({ sold: 30, refused: 0 }), { buyers: 30, units: 500 })).toEqual([]);
  });

  it.each([
    [{ sold: 501, oversold: 1 }, ["1 units were sold that never were there.", "501 units were sold, not 500."]],
    [{ sold: 499 }, ["499 units were sold, not 500."]],
    [{ lost: 2 }, ["2 accepted orders are not in the database."]],
    [{ violations: 3 }, ["The inventory's books are off in 3 places."]],
  ])("has broken them with %o", (differences, failures) => {
    expect(failuresOf(outcome(differences), { buyers: 10_000, units: 500 })).toEqual(failures);
  });

  it("is reported as ratios first, and names this machine before any time", () => {
    const naive = outcome({ sold: 600, oversold: 100, accepted: { p50: 500, p95: 950, p99: 990 } });
    const text = reportLines({ buyers: 10_000, units: 500, paymentMs: 2000, sluice: outcome(), naive }).join("\n");
    expect(text).toMatch(/oversold +0 +100\n/);
    expect(text).toContain("The naive sale sold each unit 1.20 times");
    expect(text).toContain("10.0 x (p50), 10.0 x (p95), 10.0 x (p99) as long");
    const [before = "", after = ""] = text.split("On this machine");
    expect(before).not.toMatch(/\d ms/);
    expect(after).toMatch(/p50 +50 ms +p95 +95 ms +p99 +99 ms/);
  });

  it("tells whom it left without an answer", () => {
    const sluice = outcome({ others: { "429": 3 }, repeats: 12 });
    const text = reportLines({ buyers: 1, units: 1, paymentMs: 0, sluice, naive: undefined }).join("\n");
    expect(text).toContain("3 buyers were left with 429");
    expect(text).toContain("12 requests were sent again");
  });
});

describe("a spread", () => {
  it("is of the nearest ranks, and of nothing where there is nothing", () => {
    expect(spreadOf([3, 1, 2])).toEqual({ p50: 2, p95: 3, p99: 3 });
    expect(spreadOf(Array.from({ length: 1000 }, (_, index) => 1000 - index))).toEqual({
      p50: 500,
      p95: 950,
      p99: 990,
    });
    expect(spreadOf([])).toBeUndefined();
  });
});
