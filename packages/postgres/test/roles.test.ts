import { describe, expect, it } from "vitest";

import type { HostRole } from "../src/connect-errors.ts";
import { newPrimary, withStale, type Finding } from "../src/finding.ts";
import { createFreshness, type Freshness } from "../src/freshness.ts";
import { markOf, positionOf, type Position } from "../src/mark.ts";

const at = (timeline: number, lsn = 0, system = "7"): Position => ({ system, timeline, lsn: BigInt(lsn) });

function finding(host: string, role: HostRole, position?: Position): Finding {
  return { host, role, askedMs: 0, ...(position ? { position } : {}) };
}

function primary(askedMs: number, position: Position, host = "p"): Finding {
  return { ...finding(host, "primary", position), askedMs };
}

function replica(position?: Position): Finding {
  return finding("r", "replica", position);
}

function calmRound(askedMs: number): Finding[] {
  return [primary(askedMs, at(1, 10)), replica(at(1, 10))];
}

function chosen(findings: readonly Finding[], known: { incumbent?: string; line?: Position } = {}): string | undefined {
  const { incumbent, line } = known;
  return newPrimary(withStale(findings, { line }), { incumbent, line, readersOnly: new Set(["reader"]) })?.host;
}

describe("of several hosts that accept writes", () => {
  it("the one on the newest line is the primary", () => {
    expect(
      chosen([finding("old", "primary", at(1, 900)), finding("new", "primary", at(2, 100))], { incumbent: "old" }),
    ).toBe("new");
  });

  it("none is when a newer line was written before", () => {
    expect(
      chosen([finding("old", "primary", at(1)), finding("new", "down")], { incumbent: "new", line: at(2) }),
    ).toBeUndefined();
  });

  it("the one that was written stays when both lead to one server", () => {
    const both = [finding("a", "primary", at(3)), finding("b", "primary", at(3))];
    expect(chosen(both)).toBe("a");
    expect(chosen(both, { incumbent: "b", line: at(3) })).toBe("b");
  });

  it("another cluster counts only when the known one has none", () => {
    const other = finding("green", "primary", at(1, 0, "8"));
    expect(chosen([other, finding("blue", "primary", at(5))], { line: at(5) })).toBe("blue");
    expect(chosen([other, finding("blue", "down")], { incumbent: "blue", line: at(5) })).toBe("green");
  });

  it("one that is listed for reads is never the primary", () => {
    expect(chosen([finding("reader", "primary", at(9)), finding("a", "replica", at(9))])).toBeUndefined();
  });

  it("servers that do not tell their line are told apart by their role", () => {
    expect(chosen([finding("a", "replica"), finding("b", "primary")])).toBe("b");
  });
});

function shownAfter(rounds: readonly (readonly Finding[])[]): Freshness {
  const freshness = createFreshness();
  for (const round of rounds)
    freshness.note(
      round,
      round.find(({ role }) => role === "primary"),
    );
  return freshness;
}

describe("the age of a replica", () => {
  it("is counted from the last moment whose commits it shows all", () => {
    const rounds = [
      [primary(0, at(1, 10)), replica(at(1, 10))],
      [primary(1000, at(1, 20)), replica(at(1, 19))],
      [primary(2000, at(1, 30)), replica(at(1, 25))],
    ];
    expect([1, 2, 3].map((count) => shownAfter(rounds.slice(0, count)).of("r")?.asOfMs)).toEqual([0, 0, 1000]);
  });

  it("does not grow while nothing is written", () => {
    expect(shownAfter([calmRound(0), calmRound(60_000)]).of("r")?.asOfMs).toBe(60_000);
  });

  it("is not renewed while there is no primary", () => {
    const rounds = [[primary(5, at(1, 10)), replica(at(1, 10))], [replica(at(1, 99))]];
    expect(shownAfter(rounds).of("r")?.asOfMs).toBe(5);
  });

  it("is unknown on another line, however far its log has come", () => {
    expect(shownAfter([[primary(0, at(2, 10)), replica(at(1, 99))]]).of("r")).toBeUndefined();
    expect(shownAfter([[primary(0, at(1, 10)), replica(at(1, 10, "8"))]]).of("r")).toBeUndefined();
  });

  it("is unknown again after a promotion, until the replica follows the new line", () => {
    const before = [primary(0, at(1, 10)), replica(at(1, 10))];
    const after = (line: number): Finding[] => [primary(100, at(2, 20), "q"), replica(at(line, 20))];
    expect(shownAfter([before, after(1)]).of("r")).toBeUndefined();
    expect(shownAfter([before, after(1), after(2)]).of("r")?.asOfMs).toBe(100);
  });

  it("is unknown where servers do not tell", () => {
    expect(shownAfter([[finding("p", "primary"), replica(at(1, 10))]]).of("r")).toBeUndefined();
    expect(shownAfter([[primary(0, at(1, 10)), replica()]]).of("r")).toBeUndefined();
  });

  it("is remembered for 64 rounds of a replica that does not catch up", () => {
    const rounds = Array.from({ length: 70 }, (_, n) => [
      primary(n, at(1, 100 + n)),
      replica(at(1, n < 69 ? 99 : 105)),
    ]);
    expect(shownAfter(rounds).of("r")?.asOfMs).toBe(Number.NEGATIVE_INFINITY);
  });
});

describe("a mark", () => {
  it("is the same position after its travels", () => {
    const position = at(4_294_967_295, Number.MAX_SAFE_INTEGER, "18446744073709551615");
    expect(positionOf(markOf(position))).toEqual(position);
    expect(encodeURIComponent(markOf(position))).toBe(markOf(position));
  });
});
