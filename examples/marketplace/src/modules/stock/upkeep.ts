import { parseDuration } from "@sluice/core";
import type { Sql, SqlDatabase } from "@sluice/postgres";

import type { Stock } from "../../infra/inventory.ts";
import type { Mailer } from "../../infra/mail/mailer.ts";
import { sendOnce, type OneMail } from "../../infra/mail/send-once.ts";
import type { DataOf, Queue } from "../../infra/queue.ts";

const alertsAtOnce = 100;
const keptMs = parseDuration("7d");
const rowsAtOnce = 1000;

/**
 * Adds a job for each product that has become low, in the transaction that takes note of it: one per crossing, however
 * many processes look.
 */
export async function deliverAlerts(stock: Pick<Stock, "deliver">, queue: Pick<Queue, "enqueue">): Promise<void> {
  for (let handed = alertsAtOnce; handed === alertsAtOnce;) {
    handed = await stock.deliver(async (transaction, events) => {
      const low = events.filter(({ kind }) => kind === "low_stock");
      const jobs = low.map(({ seq, productId, available }) => ({ seq, product_id: productId, available }));
      await queue.enqueue(transaction, "stock_alert_email", jobs);
    }, alertsAtOnce);
  }
}

/** Adds up what was moved, so that checks stay cheap, and moves what is old out of the way. Safe to run twice. */
export async function keepStock(stock: Pick<Stock, "checkpoint" | "archive" | "verify">): Promise<void> {
  await stock.verify();
  await stock.checkpoint();
  for (let moved = rowsAtOnce; moved === rowsAtOnce;) moved = await stock.archive(keptMs, rowsAtOnce);
}

const owner = `select u.email, u.name, p.name as product
  from products p join sellers s on s.id = p.seller_id join users u on u.id = s.user_id where p.id = $1::uuid`;

/** The mail that tells a seller that a product has become low. One per crossing. */
export function alertMail({ seq, product_id: id, available }: DataOf<"stock_alert_email">): OneMail {
  return {
    kind: "low_stock",
    key: String(seq),
    async compose(sql) {
      const { rows } = await sql.query<{ email: string; name: string; product: string }>(owner, [id]);
      const [row] = rows;
      return (
        row && {
          to: row.email,
          subject: `Low stock: ${row.product}`,
          text: `Dear ${row.name},\n\nof ${row.product} no more than ${available} can be had.\n`,
        }
      );
    },
  };
}

/** What the daily check stands on. */
export interface LowStockCheck {
  readonly sql: SqlDatabase;
  readonly stock: Pick<Stock, "lowStock">;
  readonly mailer: Mailer;
  /** Whom to tell. Undefined: nobody. */
  readonly to: string | undefined;
}

/** The work of the job `low_stock_check`: one mail a day with what is low. Safe to run twice. */
export async function checkLowStock({ sql, stock, mailer, to }: LowStockCheck): Promise<void> {
  if (to === undefined) return;
  const today = "select to_char(sluice_now() at time zone 'UTC', 'YYYY-MM-DD') as day";
  const day = (await sql.query<{ day: string }>(today)).rows[0]?.day ?? "";
  await sendOnce(sql, mailer, {
    kind: "low_stock_check",
    key: day,
    async compose(transaction) {
      const levels = await stock.lowStock({ limit: rowsAtOnce });
      if (levels.length === 0) return undefined;
      const names = await namesOf(
        transaction,
        levels.map(({ productId }) => productId),
      );
      const lines = levels.map(({ productId, available }) => `  ${available} of ${names.get(productId) ?? productId}`);
      return { to, subject: `Low stock on ${day}`, text: [...lines, ""].join("\n") };
    },
  });
}

async function namesOf(sql: Sql, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const text = "select id::text as id, name from products where id::text = any($1::text[])";
  const { rows } = await sql.query<{ id: string; name: string }>(text, [ids]);
  return new Map(rows.map(({ id, name }) => [id, name]));
}
