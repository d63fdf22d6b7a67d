import type { MeasuredFault } from "@sluice/testing/vitest";

const titles = ["fault", "added latency", "recovery", "errors surfaced"] as const;

/** The faults as a table, a line each, after its titles. */
export function faultTable(faults: readonly MeasuredFault[]): string[] {
  const rows = [titles, ...faults.map(cellsOf)];
  const widths = titles.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  return rows.map((row) =>
    row
      .map((cell, column) => padded(cell, column, widths))
      .join(" | ")
      .trimEnd(),
  );
}

function cellsOf({ fault, addedLatencyMs, recoveryMs, errors }: MeasuredFault): string[] {
  return [fault, whole(addedLatencyMs), whole(recoveryMs), errors.length > 0 ? errors.join(", ") : "none"];
}

function whole(ms: number): string {
  return `${Math.round(ms)} ms`;
}

/** Numbers stand to the right. */
function padded(cell: string, column: number, widths: readonly number[]): string {
  const width = widths[column] ?? 0;
  return column === 1 || column === 2 ? cell.padStart(width) : cell.padEnd(width);
}
