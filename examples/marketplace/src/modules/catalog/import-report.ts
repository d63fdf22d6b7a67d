import { z } from "zod";

/** Why a line was not imported. */
export const rowProblem = z.object({
  line: z.int().describe("Its number, from 1"),
  code: z.enum([
    "LINE_UNREADABLE",
    "MALFORMED_JSON",
    "VALIDATION_FAILED",
    "DUPLICATE_ID",
    "ALREADY_EXISTS",
    "UNKNOWN_SELLER",
    "UNKNOWN_CATEGORY",
  ]),
  message: z.string(),
});

/** What an import did. */
export const importReport = z.object({
  imported: z.int(),
  failed: z.int(),
  errors: z.array(rowProblem).describe("The first hundred"),
  errors_truncated: z.boolean(),
});

/** Why a line was not imported. */
export type RowProblem = z.output<typeof rowProblem>;

/** What an import did. */
export type ImportReport = z.output<typeof importReport>;

const mostProblems = 100;

/** An account of an import, in bounded memory. */
export interface Tally {
  imported(rows: number): void;
  failed(problem: RowProblem): void;
  report(): ImportReport;
}

/** An account of an import that has not begun. */
export function createTally(): Tally {
  const errors: RowProblem[] = [];
  let [imported, failed] = [0, 0];
  return {
    imported: (rows) => void (imported += rows),
    failed(problem) {
      failed += 1;
      if (errors.length < mostProblems) errors.push(problem);
    },
    report: () => ({
      imported,
      failed,
      errors: errors.toSorted((a, b) => a.line - b.line),
      errors_truncated: failed > errors.length,
    }),
  };
}
