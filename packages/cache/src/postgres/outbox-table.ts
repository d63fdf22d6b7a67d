import { quoteIdentifier, type Sql } from "@sluice/postgres";

import type { InvalidationTarget } from "../target.ts";

/** What waits in the outbox, as one transaction has added it. */
export interface OutboxRow {
  readonly id: string;
  /** JSON. */
  readonly targets: string;
}

/** The statements of the outbox. */
export interface OutboxTable {
  /** Adds targets. Their id. */
  add(tx: Sql, targets: readonly InvalidationTarget[]): Promise<string>;
  /** The oldest rows that nobody else has claimed, for the rest of the transaction. */
  claim(tx: Sql, limit: number): Promise<readonly OutboxRow[]>;
  remove(sql: Sql, ids: readonly string[]): Promise<void>;
}

/** The outbox in a schema. */
export function outboxTable(schema: string): OutboxTable {
  const table = `${quoteIdentifier(schema)}.cache_outbox`;
  return {
    async add(tx, targets) {
      const text = `insert into ${table} (targets) values ($1::jsonb) returning id::text`;
      const { rows } = await tx.query<{ id: string }>(text, [JSON.stringify(targets)]);
      return rows[0]?.id ?? "";
    },
    async claim(tx, limit) {
      // Rows of a newer release are left to it.
      const text = `select id::text, targets::text from ${table} where version = 1
        order by ${table}.id limit $1 for update skip locked`;
      return (await tx.query<OutboxRow>(text, [limit])).rows;
    },
    async remove(sql, ids) {
      await sql.query(`delete from ${table} where id = any($1::bigint[])`, [ids]);
    },
  };
}
