import { fork } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { systemClock } from "@sluice/core";
import { fromPg, migrate, type SqlTransaction } from "@sluice/postgres";
import { killProcess } from "@sluice/testing/faults";
import { findEmbeddedPostgres, findPostgres, launchPostgres, type LaunchedPostgres } from "@sluice/testing/services";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";

import { createInventory, type Flash, type Inventory } from "../src/index.ts";
import { inventoryMigrations, postgresStore } from "../src/postgres.ts";
import { uuid } from "./ids.ts";
import { quietPool } from "./support.ts";
import { until } from "./until.ts";

const supply = 100_000;
let folder: string;
let server: LaunchedPostgres;

// Durable, since what is tested is what survives.
async function launch(port?: number): Promise<LaunchedPostgres> {
  const native = (await findPostgres()) ?? (await findEmbeddedPostgres()) ?? "";
  return launchPostgres({ native, dataFolder: path.join(folder, "data"), ...(port && { port }) });
}

function opened() {
  const pool = quietPool(server.url, 6);
  onTestFinished(() => pool.end());
  const db = fromPg(pool);
  return { pool, db, inventory: createInventory({ store: postgresStore(db) }) };
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "sluice-inventory-"));
  await chmod(folder, 0o755);
  server = await launch();
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  const { db, inventory } = opened();
  await migrate(db, { package: "inventory", migrations: await inventoryMigrations() });
  await db.script(
    "truncate sluice.inventory, sluice.inventory_reservation, sluice.inventory_line, sluice.inventory_movement",
  );
  await inventory.restock({ productId: "a", quantity: supply, key: "first" });
});

/** Buyers that ask until they are stopped; an outcome that is unknown is asked for again by the same id. */
function crowd(flash: Flash, buyers = 20) {
  const acknowledged = new Set<string>();
  const refused: unknown[] = [];
  const state = { going: true };
  async function buy(): Promise<void> {
    let id = uuid();
    while (state.going) {
      try {
        const { status } = await flash.reserve({ id, lines: [{ productId: "a", quantity: 1 }] });
        if (status === "reserved" || status === "duplicate") acknowledged.add(id);
        else refused.push(status);
        id = uuid();
      } catch (error) {
        const { code } = error as { readonly code?: unknown };
        if (code !== "ERR_SLUICE_INVENTORY_UNKNOWN" && code !== "ERR_SLUICE_INVENTORY_UNAVAILABLE") refused.push(error);
      }
    }
  }
  const all = Promise.all(Array.from({ length: buyers }, buy));
  return {
    acknowledged,
    refused,
    async stop() {
      state.going = false;
      await all;
    },
  };
}

/** Every acknowledged id holds exactly one unit, and the numbers add up. */
async function expectKept(
  inventory: Pick<Inventory<SqlTransaction>, "verify" | "levels">,
  acknowledged: ReadonlySet<string>,
): Promise<void> {
  const { db } = opened();
  const { rows } = await db.query<{ readonly lost: number }>(
    `select count(*)::int as lost from unnest($1::uuid[]) as acknowledged (id)
     left join sluice.inventory_line l on l.reservation_id = acknowledged.id where l.quantity is distinct from 1`,
    [[...acknowledged]],
  );
  expect(rows[0]?.lost).toBe(0);
  expect(await inventory.verify()).toEqual([]);
  const [level] = await inventory.levels(["a"]);
  expect(level?.reserved).toBeGreaterThanOrEqual(acknowledged.size);
  expect(level?.onHand).toBe(supply);
}

describe("what a flash lane has acknowledged", () => {
  it("is kept, and held once, while the server ends its sessions again and again", async () => {
    const { db, inventory } = opened();
    const killer = opened();
    const buyers = crowd(inventory.flash({ deadlineMs: 10_000 }));
    const terminate = `select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid() and query like '%reserve_batch%'`;
    for (let round = 0; round < 15; round += 1) {
      const before = buyers.acknowledged.size;
      await killer.db.query(terminate);
      await until(() => buyers.acknowledged.size > before + 20);
    }
    await buyers.stop();
    expect(buyers.refused).toEqual([]);
    await expectKept(inventory, buyers.acknowledged);
    expect((await db.query("select 1")).rowCount).toBe(1);
  });

  it("survives a kill of the postmaster, and the lane goes on when it is back", async () => {
    const { inventory } = opened();
    const buyers = crowd(inventory.flash({ deadlineMs: 1000 }));
    for (let round = 0; round < 2; round += 1) {
      const before = buyers.acknowledged.size;
      await until(() => buyers.acknowledged.size > before + 100);
      await killProcess(server.pid);
      await server.exited;
      const { port } = server;
      const back = await relaunched(port);
      server = back;
    }
    const before = buyers.acknowledged.size;
    await until(() => buyers.acknowledged.size > before + 100);
    await buyers.stop();
    expect(buyers.refused).toEqual([]);
    await expectKept(inventory, buyers.acknowledged);
  });

  it("is there after the process that acknowledged was killed, at whatever moment", async () => {
    const { inventory } = opened();
    const acknowledged = new Set<string>();
    for (const after of [1, 30, 95]) {
      const child = fork(new URL("fixtures/buyers.ts", import.meta.url), [server.url], {
        execArgv: ["--conditions=sluice-source"],
      });
      const ended = once(child, "exit");
      let heard = 0;
      child.on("message", (id) => {
        acknowledged.add(id as string);
        heard += 1;
      });
      await until(() => heard >= after, 20_000);
      child.kill("SIGKILL");
      await ended;
    }
    expect(acknowledged.size).toBeGreaterThan(100);
    await expectKept(inventory, acknowledged);
  });
});

// The sessions of a killed postmaster end a moment after it, and keep its shared memory until then.
async function relaunched(port: number): Promise<LaunchedPostgres> {
  const dueMs = systemClock.monotonic() + 20_000;
  for (;;) {
    try {
      return await launch(port);
    } catch (error) {
      if (systemClock.monotonic() > dueMs) throw error;
    }
  }
}
