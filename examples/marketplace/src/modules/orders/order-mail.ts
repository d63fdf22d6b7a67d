import type { Sql } from "@sluice/postgres";

import type { OneMail } from "../../infra/mail/send-once.ts";
import type { DataOf } from "../../infra/queue.ts";

interface Row {
  readonly email: string;
  readonly name: string;
  readonly total: string;
  readonly items: readonly { readonly name: string; readonly quantity: number }[];
}

const text = `select u.email, u.name, o.currency || ' ' || to_char(o.total_minor / 100.0, 'FM999999999999990.00') as total,
    (select json_agg(json_build_object('name', i.name, 'quantity', i.quantity) order by i.name)
      from order_items i where i.order_id = o.id) as items
  from orders o join users u on u.id = o.user_id where o.id = $1::uuid`;

/** The mail that says that an order is confirmed. One per order. */
export function orderMail({ order_id: id }: DataOf<"order_email">): OneMail {
  return { kind: "order_confirmed", key: id, compose: (sql) => compose(sql, id) };
}

async function compose(sql: Sql, id: string) {
  const [row] = (await sql.query<Row>(text, [id])).rows;
  if (row === undefined) return undefined;
  const lines = row.items.map(({ name, quantity }) => `  ${quantity} x ${name}`);
  return {
    to: row.email,
    subject: `Your order ${id} is confirmed`,
    text: [`Dear ${row.name},`, "", "thank you for your order:", "", ...lines, "", `Total: ${row.total}`, ""].join(
      "\n",
    ),
  };
}
