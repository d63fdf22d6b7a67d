import { systemRandom } from "@sluice/core";
import { quoteIdentifier, type SqlDatabase } from "@sluice/postgres";

import type { HandleKind } from "./handles.ts";

/** A database with an empty table `(id int primary key, value int not null)`, which every law gets anew. */
export interface Subject extends AsyncDisposable {
  readonly db: SqlDatabase;
  /** Quoted. */
  readonly table: string;
  readonly kind: HandleKind;
  /** The statement that inserts a row. */
  readonly insert: (id: number, value?: number) => string;
  /** The rows that are there. */
  readonly ids: () => Promise<number[]>;
}

export async function createSubject(kind: HandleKind): Promise<Subject> {
  const db = await kind.open();
  const table = quoteIdentifier(`T ${systemRandom.integer(0, 2 ** 48)}`);
  await db.query(`create table ${table} (id int primary key, value int not null)`);
  return {
    db,
    table,
    kind,
    insert: (id, value = 0) => `insert into ${table} (id, value) values (${id}, ${value})`,
    async ids() {
      return (await db.query<{ id: number }>(`select id from ${table} order by id`)).rows.map(({ id }) => id);
    },
    async [Symbol.asyncDispose]() {
      await db.query(`drop table ${table}`);
    },
  };
}
