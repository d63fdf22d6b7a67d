import assert from "node:assert/strict";

import { hasCode } from "@sluice/core";
import { sqlFailure, type SqlTransaction, sqlState } from "@sluice/postgres";
import type { Law } from "@sluice/testing";

import type { Subject } from "./subject.ts";
import { thrownBy } from "./thrown.ts";

/** What a transaction is, on every handle. */
export const transactionLaws: readonly Law<Subject>[] = [
  {
    title: "a transaction whose work returns is applied",
    async check({ db, insert, ids }) {
      const result = await db.transaction(async (tx) => {
        await tx.query(insert(1));
        return "done";
      });
      assert.equal(result, "done");
      assert.deepEqual(await ids(), [1]);
    },
  },
  {
    title: "a transaction whose work throws leaves nothing and throws the same error",
    async check({ db, insert, ids }) {
      const refusal = new Error("no");
      const work = async (tx: SqlTransaction): Promise<void> => {
        await tx.query(insert(1));
        throw refusal;
      };
      assert.equal(await thrownBy(db.transaction(work)), refusal);
      assert.deepEqual(await ids(), []);
    },
  },
  {
    title: "a swallowed error never looks committed",
    async check({ db, insert, ids }) {
      const swallow = async (tx: SqlTransaction): Promise<void> => {
        await tx.query(insert(1));
        await tx.query(insert(1)).catch(() => undefined);
        await tx.query(insert(2)).catch(() => undefined);
      };
      const error = await thrownBy(db.transaction(swallow));
      assert.ok(hasCode(error, "ERR_SLUICE_TRANSACTION_ABORTED"));
      assert.equal(sqlState(error.cause), "23505");
      assert.deepEqual(await ids(), []);
    },
  },
  {
    title: "a savepoint lets a transaction outlive a failed statement",
    async check({ db, insert, ids }) {
      await db.transaction(async (tx) => {
        await tx.query(insert(1));
        await tx.query("savepoint before");
        assert.equal(sqlState(await thrownBy(tx.query(insert(1)))), "23505");
        await tx.query("rollback to savepoint before");
        await tx.query(insert(2));
      });
      assert.deepEqual(await ids(), [1, 2]);
    },
  },
  {
    title: "a handle sends nothing once its transaction has ended",
    async check({ db, insert, ids }) {
      const kept: SqlTransaction[] = [];
      await db.transaction(async (tx) => void kept.push(tx));
      await thrownBy(
        db.transaction(async (tx) => {
          kept.push(tx);
          throw new Error("no");
        }),
      );
      for (const tx of kept) {
        assert.ok(hasCode(await thrownBy(tx.query(insert(1))), "ERR_SLUICE_TRANSACTION_ENDED"));
        assert.ok(hasCode(await thrownBy(tx.script(insert(2))), "ERR_SLUICE_TRANSACTION_ENDED"));
      }
      assert.deepEqual(await ids(), []);
    },
  },
  {
    title: "a statement that nobody awaited is applied or refused, never lost",
    async check({ db, insert, ids }) {
      let forgotten: Promise<string> | undefined;
      await db.transaction(async (tx) => {
        forgotten = tx.query(insert(1)).then(
          () => "applied",
          (error) => (hasCode(error, "ERR_SLUICE_TRANSACTION_ENDED") ? "refused" : "lost"),
        );
      });
      assert.deepEqual(await ids(), (await forgotten) === "applied" ? [1] : []);
      assert.notEqual(await forgotten, "lost");
    },
  },
  {
    title: "statements of one transaction run one at a time in the order of their calls",
    async check({ db, table, insert, ids }) {
      const values = await db.transaction(async (tx) => {
        await tx.query(insert(1, 0));
        const steps = Array.from({ length: 8 }, () =>
          tx.query<{ value: number }>(`update ${table} set value = value + 1 returning value`),
        );
        return (await Promise.all(steps)).map(({ rows }) => rows[0]?.value);
      });
      assert.deepEqual(values, [1, 2, 3, 4, 5, 6, 7, 8]);
      assert.deepEqual(await ids(), [1]);
    },
  },
  {
    title: "a transaction has the isolation and the access mode it asked for",
    async check({ db, insert }) {
      for (const isolation of ["read committed", "repeatable read", "serializable"] as const) {
        const set = await db.transaction((tx) => tx.query("select current_setting('transaction_isolation') as is"), {
          isolation,
        });
        assert.deepEqual(set.rows, [{ is: isolation }]);
      }
      const write = db.transaction((tx) => tx.query(insert(1)), { isolation: "serializable", readOnly: true });
      assert.equal(sqlState(await thrownBy(write)), "25006");
      await db.transaction((tx) => tx.query(insert(1)), { readOnly: false });
    },
  },
  {
    title: "an unknown isolation is refused before the work runs",
    async check({ db }) {
      let ran = false;
      const isolation = "serializable; drop table users" as "serializable";
      const error = await thrownBy(
        db.transaction(
          async () => {
            ran = true;
          },
          { isolation },
        ),
      );
      assert.ok(hasCode(error, "ERR_SLUICE_INVALID_ARGUMENT"));
      assert.equal(ran, false);
    },
  },
  {
    title: "a COMMIT that the server refuses throws the server's error and applies nothing",
    async check({ db, table, insert, ids }) {
      await db.query(`alter table ${table} add constraint later unique (value) deferrable initially deferred`);
      const error = await thrownBy(
        db.transaction(async (tx) => {
          await tx.query(insert(1, 7));
          await tx.query(insert(2, 7));
        }),
      );
      assert.equal(sqlState(error), "23505");
      assert.equal(sqlFailure(error), "constraint");
      assert.deepEqual(await ids(), []);
      await db.transaction((tx) => tx.query(insert(3)));
      assert.deepEqual(await ids(), [3]);
    },
  },
  {
    title: "a call from inside the only session's own transaction is refused, not left hanging",
    async check({ db, insert, ids, kind }) {
      if (!kind.single) return;
      const inner = [
        () => db.query("select 1"),
        () => db.script("select 1"),
        () => db.transaction(async (tx) => tx.query("select 1")),
      ];
      for (const call of inner) {
        const error = await thrownBy(
          db.transaction(async (tx) => {
            await tx.query(insert(1));
            await call();
          }),
        );
        assert.ok(hasCode(error, "ERR_SLUICE_NESTED_USE"));
      }
      assert.deepEqual(await ids(), []);
    },
  },
];
