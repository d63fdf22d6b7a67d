import { type SqlDatabase, withTransaction } from "@sluice/postgres";
import { describe, expect, it } from "vitest";

import { postgresEventsOf } from "./support/events.ts";
import { handleKinds } from "./support/handles.ts";
import { createBarrier } from "./support/server.ts";
import { createSubject } from "./support/subject.ts";

for (const kind of handleKinds.filter(({ concurrent }) => concurrent)) {
  describe(`two transactions at once over ${kind.name}`, () => {
    it("both succeed one after the other when each would skew what the other read", async () => {
      await using subject = await createSubject(kind);
      const { db, table } = subject;
      const haveRead = createBarrier(2);
      const stop = postgresEventsOf("transaction-retried");
      const add = (id: number): Promise<void> =>
        withTransaction(
          db,
          async (tx, { attempt }) => {
            const { rows } = await tx.query<{ n: number }>(`select count(*)::int as n from ${table}`);
            if (attempt === 1) await haveRead();
            await tx.query(`insert into ${table} values ($1, $2)`, [id, rows[0]?.n]);
          },
          { isolation: "serializable", baseDelayMs: 1 },
        );
      await Promise.all([add(1), add(2)]);
      expect(await valuesOf(db, table)).toEqual([0, 1]);
      expect(stop()[0]).toMatchObject({ attempt: 1, sqlState: "40001" });
    });

    it("both succeed after a deadlock", async () => {
      await using subject = await createSubject(kind);
      const { db, table, insert } = subject;
      await db.query(insert(1));
      await db.query(insert(2));
      const haveLocked = createBarrier(2);
      const stop = postgresEventsOf("transaction-retried");
      const raise = (order: readonly [number, number]): Promise<void> =>
        withTransaction(
          db,
          async (tx, { attempt }) => {
            await tx.query("set local deadlock_timeout = '10ms'");
            await tx.query(`update ${table} set value = value + 1 where id = $1`, [order[0]]);
            if (attempt === 1) await haveLocked();
            await tx.query(`update ${table} set value = value + 1 where id = $1`, [order[1]]);
          },
          { baseDelayMs: 1 },
        );
      await Promise.all([raise([1, 2]), raise([2, 1])]);
      expect(await valuesOf(db, table)).toEqual([2, 2]);
      expect(stop()[0]).toMatchObject({ attempt: 1, sqlState: "40P01" });
    });
  });
}

async function valuesOf(db: SqlDatabase, table: string): Promise<number[]> {
  return (await db.query<{ value: number }>(`select value from ${table} order by value`)).rows.map(
    ({ value }) => value,
  );
}
