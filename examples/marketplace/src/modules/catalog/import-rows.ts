import { randomUUID } from "node:crypto";

import { JsonInvalidError, parseJson } from "@sluice/core";
import type { z } from "zod";

import { failureOf } from "../../http/failure-of.ts";
import { Failure } from "../../http/failure.ts";
import { createTally, type ImportReport, type RowProblem, type Tally } from "./import-report.ts";
import type { Line } from "./lines.ts";

/** What every row of an import has. */
export interface ImportedRow {
  readonly id?: string | undefined;
  readonly seller_id: string;
  readonly category: string;
}

/** A row that has its id. */
export type IdentifiedRow<Row> = Row & { readonly id: string };

/** A row that was not inserted: its index among those that were given, and why. */
export interface Refusal {
  readonly index: number;
  readonly code: RowProblem["code"];
  readonly message: string;
}

/** Where rows go. */
export interface ImportTarget<Row extends ImportedRow> {
  readonly row: z.ZodType<Row>;
  /** Inserts a chunk in one transaction: all of its rows, but for those that it returns. */
  insert(rows: readonly IdentifiedRow<Row>[]): Promise<readonly Refusal[]>;
}

/** An import under way. */
export interface Import<Row extends ImportedRow> {
  readonly lines: AsyncIterable<Line>;
  readonly target: ImportTarget<Row>;
  /** Whether nobody waits for the answer any more. */
  readonly isAbandoned: () => boolean;
}

/** The most rows of one import, and of one transaction. */
export const mostRows = 10_000;
const chunkRows = 500;

/**
 * Imports rows in chunks, each in a transaction of its own. A row that is wrong is reported and keeps no other row out.
 * What goes wrong as a whole ends the import: chunks before it stay, and the failure says how many rows they have.
 *
 * @throws a 413 for too many rows, and whatever the lines and the target throw.
 */
export async function importRows<Row extends ImportedRow>(work: Import<Row>): Promise<ImportReport> {
  const tally = createTally();
  try {
    for await (const chunk of chunksOf(work, tally)) {
      if (work.isAbandoned()) break;
      await insertChunk(work.target, chunk, tally);
    }
  } catch (error) {
    const { status, code, message, headers, cause, details } = failureOf(error);
    throw new Failure(status, [code, message], { headers, cause, details: { ...details, progress: tally.report() } });
  }
  return tally.report();
}

interface NumberedRow<Row> {
  readonly line: number;
  readonly row: IdentifiedRow<Row>;
}

/**
 * The rows that are valid, in chunks. What is wrong with the others goes into the tally.
 *
 * @yields at most {@link chunkRows} rows.
 */
async function* chunksOf<Row extends ImportedRow>(
  { lines, target }: Import<Row>,
  tally: Tally,
): AsyncGenerator<readonly NumberedRow<Row>[]> {
  const seen = new Set<string>();
  let chunk: NumberedRow<Row>[] = [];
  let count = 0;
  for await (const line of lines) {
    count += 1;
    if (count > mostRows) {
      throw new Failure(413, ["TOO_MANY_ROWS", `An import has at most ${mostRows} rows: send the rest in another`]);
    }
    const row = rowOf(target.row, line);
    if ("code" in row) tally.failed(row);
    else if (seen.has(row.row.id)) tally.failed({ line: line.number, ...duplicate });
    else {
      seen.add(row.row.id);
      chunk.push(row);
    }
    if (chunk.length === chunkRows) {
      yield chunk;
      chunk = [];
    }
  }
  if (chunk.length > 0) yield chunk;
}

const duplicate = { code: "DUPLICATE_ID", message: "another line of this import has the same id" } as const;

function rowOf<Row extends ImportedRow>(
  schema: z.ZodType<Row>,
  { number: line, text }: Line,
): NumberedRow<Row> | RowProblem {
  if (text === undefined) return { line, code: "LINE_UNREADABLE", message: "is too long, or not UTF-8" };
  const value = valueOf(text);
  if (value instanceof JsonInvalidError) return { line, code: "MALFORMED_JSON", message: value.message };
  const parsed = schema.safeParse(value);
  if (parsed.success) return { line, row: { ...parsed.data, id: parsed.data.id ?? randomUUID() } };
  const problems = parsed.error.issues.map(({ path, message }) => [path.join("."), message].filter(Boolean).join(": "));
  return { line, code: "VALIDATION_FAILED", message: problems.join("; ") };
}

function valueOf(text: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    if (error instanceof JsonInvalidError) return error;
    throw error;
  }
}

async function insertChunk<Row extends ImportedRow>(
  target: ImportTarget<Row>,
  chunk: readonly NumberedRow<Row>[],
  tally: Tally,
): Promise<void> {
  const refusals = await target.insert(chunk.map(({ row }) => row));
  for (const { index, code, message } of refusals) {
    tally.failed({ line: chunk[index]?.line ?? 0, code, message });
  }
  tally.imported(chunk.length - refusals.length);
}
