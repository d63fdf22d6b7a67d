import type { Sql } from "@sluice/postgres";

import type { Page } from "../http/envelope.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";
import type { Filter } from "./filter.ts";
import type { Order } from "./order.ts";

/** What a client says about the page it wants. */
export interface PageRequest {
  readonly limit: number;
  readonly cursor?: string | undefined;
}

/** A table, and what a list shows of its rows. */
export interface Listed {
  readonly table: string;
  readonly alias: string;
  readonly columns: string;
  /** What `columns` needs beside the table. */
  readonly joins: string;
}

/** A statement that {@link readPage} completes. */
export interface PageSource {
  /** Common table expressions, with their `with`. */
  readonly with?: string;
  readonly listed: Listed;
  /** Default: the table alone. */
  readonly from?: string;
  readonly order: Order;
  readonly filter: Filter;
}

interface Row {
  readonly id: string;
  readonly cursor_value: string | number;
}

/** Reads one page by keyset: the index is entered at the cursor, so page 5,000 costs what page 1 costs. One round trip. */
export async function readPage<Item>(
  sql: Sql,
  { with: expressions = "", listed, from = `${listed.table} ${listed.alias}`, order, filter }: PageSource,
  { limit, cursor }: PageRequest,
): Promise<Page<Item>> {
  const id = `${listed.alias}.id`;
  if (cursor !== undefined) {
    const { values, id: last } = decodeCursor(order, cursor);
    const bound = `(${filter.param(values[0])}::${order.type}, ${filter.param(last)}::uuid)`;
    filter.add(`(${order.by}, ${id}) ${order.direction === "asc" ? ">" : "<"} ${bound}`);
  }
  const text = `${expressions} select ${listed.columns}, ${order.cursorValue} as cursor_value
    from ${from} ${listed.joins} where ${filter.where()}
    order by ${order.by} ${order.direction}, ${id} ${order.direction} limit ${filter.param(limit + 1)}`;
  const { rows } = await sql.query<Item & Row>(text, filter.params);
  const items = rows.slice(0, limit);
  const last = rows.length > limit ? items.at(-1) : undefined;
  const nextCursor = last === undefined ? null : encodeCursor(order, { values: [last.cursor_value], id: last.id });
  return { items, nextCursor, limit };
}
