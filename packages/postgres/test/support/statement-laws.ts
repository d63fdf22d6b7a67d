import assert from "node:assert/strict";

import { sqlFailure, sqlState, withTransaction } from "@sluice/postgres";
import type { Law } from "@sluice/testing";

import type { Subject } from "./subject.ts";
import { thrownBy } from "./thrown.ts";

/** What a statement answers, on every handle. */
export const statementLaws: readonly Law<Subject>[] = [
  {
    title: "a row count is the rows returned or changed",
    async check({ db, table }) {
      const count = async (text: string): Promise<number> => (await db.query(text)).rowCount;
      assert.equal(await count(`insert into ${table} select n, n from generate_series(1, 3) as n`), 3);
      assert.equal(await count(`select * from ${table}`), 3);
      assert.equal(await count(`update ${table} set value = 0 where id > 1`), 2);
      assert.equal(await count(`update ${table} set value = 0 where id > 9`), 0);
      assert.equal(await count(`delete from ${table} where id > 1 returning id`), 2);
      assert.equal(await count("select 1 where false"), 0);
    },
  },
  {
    title: "the portable types arrive as they left",
    async check({ db }) {
      const { rows } = await db.query(
        `select $1::text as text, $2::int as whole, $3::float8 as fraction, $4::boolean as truth, $5::jsonb as json,
          $6::text[] as texts, $7::int[] as numbers, $8::text as nothing`,
        ["naïve 😀 '$1'", -7, 0.1, false, JSON.stringify({ a: [1, null] }), ['a"b', "{c,d}", "null", ""], [1, 2], null],
      );
      assert.deepEqual(rows, [
        {
          text: "naïve 😀 '$1'",
          whole: -7,
          fraction: 0.1,
          truth: false,
          json: { a: [1, null] },
          texts: ['a"b', "{c,d}", "null", ""],
          numbers: [1, 2],
          nothing: null,
        },
      ]);
      const bytes = await db.query<{ bytes: Uint8Array }>("select $1::bytea as bytes", [Uint8Array.of(0, 255, 92)]);
      assert.deepEqual([...(bytes.rows[0]?.bytes ?? [])], [0, 255, 92]);
    },
  },
  {
    title: "parameters are never read as SQL",
    async check({ db, table, insert, ids }) {
      await db.query(insert(1));
      const { rows } = await db.query("select $1::text as said", [`'; drop table ${table}; --`]);
      assert.deepEqual(rows, [{ said: `'; drop table ${table}; --` }]);
      assert.deepEqual(await ids(), [1]);
    },
  },
  {
    title: "a script runs all its statements and is undone with its transaction",
    async check({ db, insert, ids, kind }) {
      if (!kind.scripts) return;
      await db.script(`${insert(1)}; ${insert(2)};`);
      await thrownBy(
        db.transaction(async (tx) => {
          await tx.script(`${insert(3)}; ${insert(4)}`);
          throw new Error("no");
        }),
      );
      assert.deepEqual(await ids(), [1, 2]);
    },
  },
  {
    title: "a failed statement tells its SQLSTATE and leaves the database usable",
    async check({ db, table, insert, ids }) {
      await db.query(insert(1));
      const failures = { [insert(1)]: "constraint", [`select * from ${table} where`]: "other" } as const;
      for (const [text, failure] of Object.entries(failures)) {
        assert.equal(sqlFailure(await thrownBy(db.query(text))), failure);
      }
      assert.equal(sqlState(await thrownBy(db.query(insert(1)))), "23505");
      assert.deepEqual(await ids(), [1]);
    },
  },
  {
    title: "a conflict in a statement reruns the whole work on a clean session",
    async check({ db, insert, ids }) {
      const attempts: number[] = [];
      await withTransaction(
        db,
        async (tx, { attempt }) => {
          attempts.push(attempt);
          await tx.query(insert(attempt));
          if (attempt < 3) await tx.query("do $$ begin raise exception using errcode = '40001'; end $$");
        },
        { baseDelayMs: 0 },
      );
      assert.deepEqual(attempts, [1, 2, 3]);
      assert.deepEqual(await ids(), [3]);
    },
  },
  {
    title: "a conflict that appears only at COMMIT reruns the whole work",
    async check({ db, table, insert, ids }) {
      const name = table.replaceAll('"', "").replaceAll(" ", "_");
      await db.query(`create function refuse_${name}() returns trigger language plpgsql as
        $$ begin if new.value = 1 then raise exception using errcode = '40P01'; end if; return null; end $$`);
      await db.query(`create constraint trigger refuse after insert on ${table}
        deferrable initially deferred for each row execute function refuse_${name}()`);
      await withTransaction(db, (tx, { attempt }) => tx.query(insert(attempt, attempt)), { baseDelayMs: 0 });
      assert.deepEqual(await ids(), [2]);
    },
  },
  {
    title: "a conflict that the work swallowed reruns it as well",
    async check({ db, insert, ids }) {
      const conflict = "do $$ begin raise exception using errcode = '40001'; end $$";
      await withTransaction(
        db,
        async (tx, { attempt }) => {
          await tx.query(insert(attempt));
          if (attempt === 1) await tx.query(conflict).catch(() => undefined);
        },
        { baseDelayMs: 0 },
      );
      assert.deepEqual(await ids(), [2]);
    },
  },
];
