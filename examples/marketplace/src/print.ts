/** Writes lines for the person at the terminal, to standard output. Log lines go to standard error. */
export type Print = (...lines: readonly string[]) => void;

/** Prints to this process's standard output. */
export const printLine: Print = (...lines) => {
  for (const line of lines) process.stdout.write(`${line}\n`);
};

/** Prints nothing: production has log lines only. */
export const printNothing: Print = () => undefined;

/** The table of what a database was seeded with. */
export function digestLines(
  digests: readonly { readonly table: string; readonly rows: number; readonly sha256: string }[],
) {
  return digests.map(
    ({ table, rows, sha256 }) => `  ${table.padEnd(10)} ${String(rows).padStart(7)} rows  sha256 ${sha256}`,
  );
}
