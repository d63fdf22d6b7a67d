import { existsSync } from "node:fs";

import { sleep, systemClock } from "@sluice/core";
import { frozen } from "@sluice/testing/faults";
import {
  findEmbeddedPostgres,
  findPostgres,
  startPostgresReplica,
  throwawaySettings,
  type PostgresReplica,
} from "@sluice/testing/services";
import pg from "pg";
import { describe, expect, it } from "vitest";

import { processFacts, processTree } from "../src/faults/process-state.ts";

const embedded = await findEmbeddedPostgres();
const local = await findPostgres();
const installed = [
  { title: "this machine", native: local, seededBy: "pg_basebackup" },
  { title: "npm", native: embedded, seededBy: "cold copy" },
].flatMap(({ native, ...rest }) => (native === undefined ? [] : [{ ...rest, native }]));

async function ask(url: string, text: string): Promise<unknown> {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => undefined);
  await client.connect();
  try {
    const { rows } = await client.query<{ answer: unknown }>(text);
    return rows[0]?.answer;
  } finally {
    await client.end();
  }
}

/** Asks again until the answer is the expected one: replication has no event to wait for. */
async function eventually(url: string, text: string, expected: unknown): Promise<void> {
  while ((await ask(url, text)) !== expected) await sleep(systemClock, 5);
}

const count = "select count(*)::int as answer from orders";
const createOrders = "create table orders (id integer)";
const addOrder = "insert into orders values (1) returning id as answer";

async function withOrders(topology: PostgresReplica): Promise<void> {
  await ask(topology.primary.url, createOrders);
  await ask(topology.primary.url, addOrder);
  await eventually(topology.replica.url, "select to_regclass('orders') is not null as answer", true);
  await eventually(topology.replica.url, count, 1);
}

describe.each(installed)("a primary and its replica from $title", ({ native, seededBy }) => {
  it("stream, lag, fail over and swap their parts", async () => {
    await using topology = await startPostgresReplica({ native });
    const { primary, replica } = topology;
    expect(topology.seededBy).toBe(seededBy);
    expect(await ask(primary.url, "select current_setting('fsync') as answer")).toBe("on");
    expect(await ask(primary.url, "select active as answer from pg_replication_slots")).toBe(true);
    await withOrders(topology);
    await expect(ask(replica.url, addOrder)).rejects.toMatchObject({ code: "25006" });

    await topology.lag(3_600_000);
    await ask(primary.url, addOrder);
    const written = await ask(primary.url, "select pg_current_wal_lsn()::text as answer");
    await eventually(replica.url, `select pg_last_wal_receive_lsn() >= '${String(written)}' as answer`, true);
    expect(await ask(replica.url, count)).toBe(1);
    await topology.lag(0);
    await eventually(replica.url, count, 2);

    await topology.lag(3_600_000);
    await ask(primary.url, addOrder);
    await topology.stopPrimary();
    await expect(ask(primary.url, count)).rejects.toMatchObject({ code: "ECONNREFUSED" });
    const beganMs = systemClock.monotonic();
    await topology.promote();
    expect(systemClock.monotonic() - beganMs).toBeLessThan(10_000);
    expect(await ask(replica.url, addOrder)).toBe(1);
    expect(await ask(replica.url, count)).toBe(4);

    await topology.demotePrimary();
    expect(await ask(primary.url, "select pg_is_in_recovery() as answer")).toBe(true);
    await eventually(primary.url, count, 4);
    await expect(ask(primary.url, addOrder)).rejects.toMatchObject({ code: "25006" });
  });
});

describe.skipIf(installed.length === 0)("a failover", () => {
  const native = installed[0]?.native ?? "";

  it("loses nothing that a synchronous primary has acknowledged", async () => {
    await using topology = await startPostgresReplica({ native, synchronous: true });
    const { primary, replica } = topology;
    await withOrders(topology);
    const acknowledged = { orders: 1 };
    const add = async (): Promise<void> => {
      await ask(primary.url, addOrder);
      acknowledged.orders += 1;
    };
    const waits = "select count(*)::int as answer from pg_stat_activity where wait_event = 'SyncRep'";
    const frozenOut = await frozen(
      replica.pid,
      async () => {
        const pending = add();
        await eventually(primary.url, waits, 1);
        return { pending, acknowledged: acknowledged.orders };
      },
      { tree: true },
    );
    expect(frozenOut.acknowledged).toBe(1);
    await frozenOut.pending;

    await topology.lag(3_600_000);
    const broken = (async () => {
      for (;;) await add();
    })().catch((error: unknown) => error);
    while (acknowledged.orders < 20) await sleep(systemClock, 1);
    await topology.stopPrimary("kill");
    expect(await broken).toBeInstanceOf(Error);
    await topology.promote();
    expect(await ask(replica.url, count)).toBeGreaterThanOrEqual(acknowledged.orders);
  });

  it("leaves no process and no folder behind", async () => {
    const topology = await startPostgresReplica({ native, settings: throwawaySettings });
    const { primary, replica } = topology;
    const wrongState = { code: "ERR_SLUICE_TOPOLOGY_STATE" };
    await expect(topology.demotePrimary()).rejects.toMatchObject(wrongState);
    await topology.stopPrimary("immediate");
    expect(primary.running).toBe(false);
    await expect(topology.demotePrimary()).rejects.toMatchObject(wrongState);
    await expect(topology.lag(-1)).rejects.toMatchObject({ argument: "ms" });
    const processes = await processTree(replica.pid);
    expect(processes.length).toBeGreaterThan(1);
    await Promise.all([topology.stop(), topology.stop()]);
    expect([primary, replica].map(({ dataFolder }) => existsSync(dataFolder))).toEqual([false, false]);
    const left = await Promise.all(processes.map(({ pid }) => processFacts(pid)));
    expect(left.filter((facts, index) => facts?.started === processes[index]?.started)).toEqual([]);
  });

  it("is refused where there is no PostgreSQL", async () => {
    await expect(startPostgresReplica({ native: "/" })).rejects.toMatchObject({ argument: "native" });
  });
});
