import type { CursorOrder } from "./cursor.ts";

/** An order of rows: by one expression, then by id in the same direction, so that no two rows tie. */
export interface Order extends CursorOrder {
  /** The SQL that sorts. */
  readonly by: string;
  /** The same as text or double precision, for the cursor: drivers disagree on every other type. */
  readonly cursorValue: string;
  /** What a cursor's value is cast to when it comes back. */
  readonly type: "timestamptz" | "bigint" | "float8";
  readonly direction: "asc" | "desc";
}

/** A column of time as text, to the microsecond: a millisecond would skip rows between two pages. */
export function isoTime(column: string): string {
  return `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
}

/** By `created_at` of the table with this alias. */
export function byCreation(alias: string, direction: Order["direction"]): Order {
  const by = `${alias}.created_at`;
  return {
    name: `${alias}:created_at:${direction}`,
    kinds: ["timestamp"],
    by,
    cursorValue: isoTime(by),
    type: "timestamptz",
    direction,
  };
}

/** By `price_minor` of the table with this alias. */
export function byPrice(alias: string, direction: Order["direction"]): Order {
  const by = `${alias}.price_minor`;
  return {
    name: `${alias}:price:${direction}`,
    kinds: ["integer"],
    by,
    cursorValue: `${by}::float8`,
    type: "bigint",
    direction,
  };
}
