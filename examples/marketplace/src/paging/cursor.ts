import { invalidFields } from "../http/failure.ts";

/** What a cursor's position is counted in. */
export type CursorKind = "timestamp" | "integer" | "score";

/** Where a page ended: what its last row is sorted by, and its id. */
export interface Position {
  readonly values: readonly (string | number)[];
  readonly id: string;
}

/** What a cursor belongs to. One that was made for another order is refused. */
export interface CursorOrder {
  /** As in `products:created_at:desc`. */
  readonly name: string;
  /** Of each value. */
  readonly kinds: readonly CursorKind[];
}

// Old and new releases share clients during a deploy: a cursor says how it is written.
const version = 1;
const longestCursor = 512;
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const timestamp = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z$/;

/** A position as an opaque string that is safe in a URL. */
export function encodeCursor(order: CursorOrder, { values, id }: Position): string {
  return Buffer.from(JSON.stringify([version, order.name, ...values, id])).toString("base64url");
}

/**
 * The position in a cursor. Everything that PostgreSQL could choke on is refused here.
 *
 * @throws a 400 that names `query.cursor`.
 */
export function decodeCursor(order: CursorOrder, cursor: string): Position {
  const [writtenBy, name, ...place] = parts(cursor);
  if (writtenBy !== version) throw malformed("is not a cursor of this service");
  if (name !== order.name) throw malformed("was made for another order of results");
  const [id, values] = [place.pop(), place];
  if (!areValues(order.kinds, values) || typeof id !== "string" || !uuid.test(id)) throw malformed("is damaged");
  return { values, id };
}

function parts(cursor: string): unknown[] {
  // Buffer skips what is not base64url; a cursor that does not read back as itself was tampered with.
  const bytes = Buffer.from(cursor.slice(0, longestCursor), "base64url");
  if (bytes.toString("base64url") !== cursor) throw malformed("is not a cursor of this service");
  try {
    const parsed: unknown = JSON.parse(bytes.toString());
    return Array.isArray(parsed) ? parsed : [];
  } catch {
    throw malformed("is not a cursor of this service");
  }
}

const isOfKind: Readonly<Record<CursorKind, (value: unknown) => boolean>> = {
  timestamp: (value) => typeof value === "string" && timestamp.test(value) && isCalendarTime(value),
  integer: Number.isSafeInteger,
  score: Number.isFinite,
};

function areValues(kinds: readonly CursorKind[], values: readonly unknown[]): values is readonly (string | number)[] {
  return values.length === kinds.length && kinds.every((kind, index) => isOfKind[kind](values[index]));
}

/** Whether the date exists: `2026-02-30` has the form of one. */
function isCalendarTime(value: string): boolean {
  const milliseconds = `${value.slice(0, 23)}Z`;
  const time = new Date(milliseconds);
  return !Number.isNaN(time.getTime()) && time.toISOString() === milliseconds && !value.startsWith("0000");
}

function malformed(message: string): Error {
  return invalidFields([{ path: "query.cursor", message }]);
}
