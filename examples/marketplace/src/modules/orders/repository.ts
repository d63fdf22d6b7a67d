import type { Sql } from "@sluice/postgres";

import type { Page } from "../../http/envelope.ts";
import { createFilter } from "../../paging/filter.ts";
import { byCreation, isoTime } from "../../paging/order.ts";
import { readPage, type PageRequest } from "../../paging/read-page.ts";
import type { Order, OrderDetail, OrderSource, OrderStatus } from "./order.ts";

/** The only place that reads orders to show them. */
export interface OrderRepository {
  /** A user's own, newest first. */
  list(userId: string, request: PageRequest): Promise<Page<Order>>;
  /** @param userId - Whose it must be. Undefined: anybody's. */
  byId(id: string, userId: string | undefined): Promise<OrderDetail | undefined>;
  /** By which route an order came. */
  sourceOf(id: string): Promise<OrderSource | undefined>;
  /** Those that may still be confirmed. */
  openOf(ids: readonly string[]): Promise<readonly string[]>;
}

const items = `(select json_agg(json_build_object('product_id', i.product_id, 'name', i.name, 'quantity', i.quantity,
    'price_minor', i.price_minor) order by i.name, i.product_id) from order_items i where i.order_id = o.id) as items`;

const listed = {
  table: "orders",
  alias: "o",
  columns: `o.id, o.status, o.source, o.total_minor::float8 as total_minor, o.currency, ${items}, o.version,
    ${isoTime("o.expires_at")} as expires_at, ${isoTime("o.created_at")} as created_at,
    ${isoTime("o.updated_at")} as updated_at`,
  joins: "",
};

const byId = `select ${listed.columns},
    (select json_agg(json_build_object('from', e.from_status, 'to', e.to_status, 'at', ${isoTime("e.at")})
      order by e.version) from order_events e where e.order_id = o.id) as events
  from orders o where o.id = $1::uuid and ($2::uuid is null or o.user_id = $2::uuid)`;

const open = "('pending', 'awaiting_payment')";

/** Orders in PostgreSQL. Every call is one round trip. */
export function orderRepository(sql: Sql): OrderRepository {
  return {
    list(userId, request) {
      const filter = createFilter();
      filter.add(`o.user_id = ${filter.param(userId)}::uuid`);
      return readPage(sql, { listed, order: byCreation("o", "desc"), filter }, request);
    },
    byId: async (id, userId) => (await sql.query<OrderDetail>(byId, [id, userId ?? null])).rows[0],
    async sourceOf(id) {
      const { rows } = await sql.query<{ source: OrderSource }>("select source from orders where id = $1::uuid", [id]);
      return rows[0]?.source;
    },
    async openOf(ids) {
      const text = `select id::text as id from orders where id = any($1::uuid[]) and status in ${open}`;
      return (await sql.query<{ id: string }>(text, [ids])).rows.map(({ id }) => id);
    },
  };
}

/** Orders of a transaction that holds them, so that nobody else changes them meanwhile. */
export interface OrderDesk {
  /** Holds one, whatever its state is. */
  hold(id: string): Promise<{ readonly status: OrderStatus; readonly user_id: string } | undefined>;
  /** Holds those that may still be confirmed, in the order of their ids. */
  holdOpen(ids: readonly string[]): Promise<readonly string[]>;
  /** Holds up to so many whose units are held no longer, and that nobody else holds. */
  holdDue(limit: number): Promise<readonly string[]>;
  mayBecome(from: OrderStatus, to: OrderStatus): Promise<boolean>;
  set(ids: readonly string[], status: OrderStatus): Promise<void>;
}

const due = `select id::text as id from orders
  where status in ('pending', 'awaiting_payment', 'payment_failed') and expires_at <= sluice_now()
  order by expires_at limit $1 for update skip locked`;

/** Orders of one transaction. Every call is one round trip. */
export function orderDesk(transaction: Sql): OrderDesk {
  const ids = async (text: string, params: readonly unknown[]): Promise<readonly string[]> =>
    (await transaction.query<{ id: string }>(text, params)).rows.map(({ id }) => id);
  return {
    async hold(id) {
      const text = "select status, user_id::text as user_id from orders where id = $1::uuid for update";
      return (await transaction.query<{ status: OrderStatus; user_id: string }>(text, [id])).rows[0];
    },
    holdOpen: (wanted) =>
      ids(`select id::text as id from orders where id = any($1::uuid[]) and status in ${open} order by id for update`, [
        wanted,
      ]),
    holdDue: (limit) => ids(due, [limit]),
    async mayBecome(from, to) {
      const text = "select from order_transitions where from_status = $1 and to_status = $2";
      return (await transaction.query(text, [from, to])).rowCount === 1;
    },
    async set(changed, status) {
      if (changed.length === 0) return;
      await transaction.query("update orders set status = $2 where id = any($1::uuid[])", [changed, status]);
    },
  };
}
