import { frameworkNames, type FrameworkName } from "./framework.ts";

/** How a case went on one framework. */
export type Parity = "kept" | "BROKEN" | `not offered: ${string}`;

/** The results of the contract, case by framework. */
export interface ParityTable {
  readonly record: (title: string, framework: FrameworkName, parity: Parity) => void;
  /** One line per case, in the order of their first results, and one that counts. */
  readonly lines: () => string[];
}

/** Collects how each case went, so that a run ends with what the three frameworks have in common. */
export function createParityTable(): ParityTable {
  const rows = new Map<string, Map<FrameworkName, Parity>>();

  function cells(row: ReadonlyMap<FrameworkName, Parity>): string {
    return frameworkNames.map((name) => ` ${(row.get(name) ?? "not run").padEnd(12)} |`).join("");
  }

  function count(name: FrameworkName, wanted: string): number {
    return [...rows.values()].filter((row) => row.get(name)?.startsWith(wanted)).length;
  }

  return {
    record(title, framework, parity) {
      const row = rows.get(title) ?? new Map<FrameworkName, Parity>();
      rows.set(title, row.set(framework, parity));
    },
    lines() {
      const width = Math.max(4, ...[...rows.keys()].map((title) => title.length));
      const head = `| ${"case".padEnd(width)} |${frameworkNames.map((name) => ` ${name.padEnd(12)} |`).join("")}`;
      const rule = `| ${"-".repeat(width)} |${frameworkNames.map(() => ` ${"-".repeat(12)} |`).join("")}`;
      const body = [...rows].map(([title, row]) => `| ${title.padEnd(width)} |${cells(row)}`);
      const sums = frameworkNames.map((name) => `${name} ${count(name, "kept")}`);
      return [head, rule, ...body, `${rows.size} cases; kept: ${sums.join(", ")}`];
    },
  };
}
