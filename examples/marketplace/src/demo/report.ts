import { availableParallelism } from "node:os";

import type { Expected, Outcome } from "./outcome.ts";
import type { Spread } from "./spread.ts";

/** Both sales; without the naive one, where it was left out. */
export interface Report extends Expected {
  readonly sluice: Outcome;
  readonly naive: Outcome | undefined;
  readonly paymentMs: number;
}

const [labelWidth, columnWidth] = [12, 12];

/** The outcome for a person: what was sold, then how they compare, and what was measured last. */
export function reportLines(report: Report): string[] {
  return ["", ...table(report), "", ...ratios(report), ...measured(report), ...oddities(report)];
}

function table({ sluice, naive, units }: Report): string[] {
  const columns = naive === undefined ? [sluice] : [sluice, naive];
  const numbers = (label: string, of: (outcome: Outcome) => number): string =>
    row(
      label,
      columns.map((outcome) => count(of(outcome))),
    );
  return [
    row("", naive === undefined ? ["Sluice"] : ["Sluice", "naive"]),
    numbers("units", () => units),
    numbers("sold", ({ sold }) => sold),
    numbers("refused", ({ refused }) => refused),
    numbers("oversold", ({ oversold }) => oversold),
    "  (as PostgreSQL has it)",
  ];
}

function row(label: string, cells: readonly string[]): string {
  return `  ${label.padEnd(labelWidth)}${cells.map((cell) => cell.padStart(columnWidth)).join("")}`;
}

function ratios({ sluice, naive, units }: Report): string[] {
  if (naive?.accepted === undefined || sluice.accepted === undefined) return [];
  const { accepted: one } = sluice;
  const { accepted: other } = naive;
  const slower = (["p50", "p95", "p99"] as const).map((part) => `${(other[part] / one[part]).toFixed(1)} x (${part})`);
  return [
    `  The naive sale sold each unit ${(naive.sold / units).toFixed(2)} times,`,
    `  and who bought one waited ${slower.join(", ")} as long.`,
    "",
  ];
}

function measured({ sluice, naive, paymentMs }: Report): string[] {
  return [
    `  On this machine, where buyers, servers and database share ${availableParallelism()} cores:`,
    `    accepted, as the server sees it   ${times(sluice.server)}`,
    `    accepted, as the buyer sees it    ${times(sluice.accepted)}`,
    `    everybody answered within         ${seconds(sluice)}`,
    `    paid for in the background        ${count(sluice.confirmed)} of ${count(sluice.sold)} so far`,
    ...(naive === undefined
      ? []
      : [
          `    naive, as the buyer sees it       ${times(naive.accepted)}`,
          `      of which the payment            ${ms(paymentMs)}, simulated, for which its buyer waits`,
          `    naive, everybody answered within  ${seconds(naive)}`,
        ]),
  ];
}

/** What somebody who trusts the numbers above should know. */
function oddities({ sluice, naive }: Report): string[] {
  const lines = [...odditiesOf("Sluice", sluice), ...(naive === undefined ? [] : odditiesOf("naive", naive))];
  return lines.length === 0 ? [] : ["", ...lines];
}

function odditiesOf(name: string, { others, repeats }: Outcome): string[] {
  return [
    ...Object.entries(others).map(([what, buyers]) => `  ${name}: ${count(buyers)} buyers were left with ${what}.`),
    ...(repeats === 0 ? [] : [`  ${name}: ${count(repeats)} requests were sent again.`]),
  ];
}

function times(spread: Spread | undefined): string {
  if (spread === undefined) return "nobody was";
  return `p50 ${ms(spread.p50)}   p95 ${ms(spread.p95)}   p99 ${ms(spread.p99)}`;
}

function ms(value: number): string {
  return `${count(Math.round(value))} ms`.padStart(9);
}

function seconds({ elapsedMs }: Outcome): string {
  return `${(elapsedMs / 1000).toFixed(1)} s`;
}

function count(value: number): string {
  return value.toLocaleString("en-US");
}
