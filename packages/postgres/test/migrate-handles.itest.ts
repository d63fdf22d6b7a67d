import { beforeAll, describe, expect, it } from "vitest";

import { postgresEventsOf } from "./support/events.ts";
import { handleKinds, openPglite } from "./support/handles.ts";
import { createTable, testSchema } from "./support/schema.ts";
import { thrownBy } from "./support/thrown.ts";

// Its first start takes seconds.
beforeAll(openPglite, 60_000);

for (const kind of handleKinds.filter(({ scripts }) => scripts)) {
  describe(`migrating over ${kind.name}`, () => {
    it("applies what is missing in order, once, after the clock of the package", async () => {
      const db = await kind.open();
      const { up, ledger, tables, name } = testSchema(db);
      const applied = postgresEventsOf("migration-applied");
      expect(await up([createTable(1)])).toEqual(["0001_t1"]);
      expect(await up([createTable(1), createTable(2), createTable(3)])).toEqual(["0002_t2", "0003_t3"]);
      expect(await up([createTable(1), createTable(2), createTable(3)])).toEqual([]);
      expect(await tables()).toEqual(["t1", "t2", "t3"]);
      expect(await ledger()).toEqual(["demo/0001_t1", "demo/0002_t2", "demo/0003_t3", "postgres/0001_sluice_now"]);
      const names = applied().map((event) => `${event.package}/${event.name}`);
      expect(names).toEqual(["postgres/0001_sluice_now", "demo/0001_t1", "demo/0002_t2", "demo/0003_t3"]);
      const now = await db.query(`select abs(extract(epoch from ${name}.sluice_now() - clock_timestamp())) < 1 as now`);
      expect(now.rows).toEqual([{ now: true }]);
    });

    it("leaves nothing of a migration that fails halfway, and keeps those before it", async () => {
      const { up, ledger, tables } = testSchema(await kind.open());
      const broken = { name: "0002_broken", sql: "create table half (id int);\n-- é😀\nselect missing;" };
      const error = await thrownBy(up([createTable(1), broken, createTable(3)]));
      expect(error).toMatchObject({
        code: "ERR_SLUICE_MIGRATION_FAILED",
        package: "demo",
        migration: "0002_broken",
        line: 3,
        cause: { code: "42703" },
      });
      expect(await tables()).toEqual(["t1"]);
      expect(await ledger()).toEqual(["demo/0001_t1", "postgres/0001_sluice_now"]);
      expect(await up([createTable(1), createTable(2)])).toEqual(["0002_t2"]);
    });
  });
}
