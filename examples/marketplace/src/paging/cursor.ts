import { invalidFields } from "../http/failure.ts";

/** What a cursor's position is counted in. */
export type CursorKind = "timestamp" | "integer" | "score";

/** Where a page ended: the sort value and the id of its last row. */
export interface Position {
  readonly value: string | number;
  readonly id: string;
}

/** What a cursor belongs to. One that was made for another order is refused. */
export interface CursorOrder {
  /** As in `products:created_at:desc`. */
  readonly name: string;
  readonly kind: CursorKind;
}

// Old and new releases share clients during a deploy: a cursor says how it is written.
const version = 1;
const longestCursor = 512;
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const timestamp = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z$/;

/** A position as an opaque string that is safe in a URL. */
export function encodeCursor(order: CursorOrder, { value, id }: Position): string {
  return Buffer.from(JSON.stringify([version, order.name, value, id])).toString("base64url");
}

/**
 * The position in a cursor. Everything that PostgreSQL could choke on is refused here.
 *
 * @throws a 400 that names `query.cursor`.
 */
export function decodeCursor(order: CursorOrder, cursor: string): Position {
  const [writtenBy, name, value, id, ...rest] = parts(cursor);
  if (writtenBy !== version || rest.length > 0) throw malformed("is not a cursor of this service");
  if (name !== order.name) throw malformed("was made for another order of results");
  if (!isValue(order.kind, value) || typeof id !== "string" || !uuid.test(id)) throw malformed("is damaged");
  return { value, id };
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

function isValue(kind: CursorKind, value: unknown): value is string | number {
  return isOfKind[kind](value);
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
