import { type Clock, sleep, systemClock } from "@sluice/core";
import { sqlFailure } from "@sluice/postgres";
import { connectPostgres, type ConnectPostgresOptions, type Postgres } from "@sluice/postgres/connect";
import { frozen } from "@sluice/testing/faults";
import { startPostgresReplica } from "@sluice/testing/services";
import { recordFault } from "@sluice/testing/vitest";
import { describe, expect, it, onTestFinished } from "vitest";

import { postgresEventsOf } from "./support/events.ts";
import { ask, eventually, fastSettings, installation, isReplica } from "./support/servers.ts";
import { thrownBy } from "./support/thrown.ts";

const native = await installation();
const clock: Clock = systemClock;

function open(options: ConnectPostgresOptions): Postgres {
  const db = connectPostgres({ applicationName: "load", max: 4, ...options });
  onTestFinished(() => db.close());
  return db;
}

interface Load {
  /** Ids that were acknowledged, with the time of the acknowledgement. */
  readonly acknowledged: Map<number, number>;
  readonly errors: unknown[];
  /** What the slowest write took longer than the usual one. */
  addedLatencyMs(): number;
  stop(): Promise<void>;
}

/** Four writers without a pause, each id written at most once. */
function putUnderLoad(db: Postgres): Load {
  const acknowledged = new Map<number, number>();
  const errors: unknown[] = [];
  const durationsMs: number[] = [];
  const stopping = new AbortController();
  let ids = 0;
  const write = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const id = (ids += 1);
      const startedMs = clock.monotonic();
      try {
        await db.query("insert into entry values ($1)", [id]);
        acknowledged.set(id, clock.monotonic());
      } catch (error) {
        errors.push(error);
        await sleep(clock, 5);
      }
      durationsMs.push(clock.monotonic() - startedMs);
    }
  };
  const writers = Promise.all([write(), write(), write(), write()]);
  return {
    acknowledged,
    errors,
    addedLatencyMs: () =>
      Math.max(...durationsMs) - (durationsMs.toSorted((a, b) => a - b)[durationsMs.length >> 1] ?? 0),
    async stop() {
      stopping.abort();
      await writers;
    },
  };
}

function lastOf(times: Iterable<number>): number {
  return Math.max(...times);
}

function firstAfter(times: Iterable<number>, momentMs: number): number {
  return Math.min(...[...times].filter((time) => time > momentMs));
}

/** Codes and reasons, each once. */
function told(errors: readonly unknown[]): string[] {
  const described = (errors as readonly (Error & { code?: string; reason?: string })[]).map((error) =>
    error.reason === undefined ? (error.code ?? error.message) : `${error.code} (${error.reason})`,
  );
  return [...new Set(described)].toSorted();
}

/** The longest time without an acknowledgement since then. */
function outageOf(times: Iterable<number>, sinceMs: number): number {
  const after = [sinceMs, ...times].filter((time) => time >= sinceMs);
  return Math.max(...after.slice(1).map((time, index) => time - (after[index] ?? time)));
}

const entries = "select id from entry order by id";

describe("a database whose primary is demoted under load", () => {
  it("writes to the promoted replica within 5 s, and never again to the old primary", async () => {
    await using servers = await startPostgresReplica({ native, settings: fastSettings });
    const { primary, replica } = servers;
    await ask(primary.url, "create table entry (id int)");
    const db = open({ urls: [primary.url, replica.url] });
    const found = postgresEventsOf("primary-found");
    const load = putUnderLoad(db);
    await eventually(() => load.acknowledged.size > 100);

    const stoppedMs = clock.monotonic();
    await servers.stopPrimary("fast");
    await servers.promote();
    const promotedMs = clock.monotonic();
    await eventually(() => lastOf(load.acknowledged.values()) > promotedMs);
    const outageMs = outageOf(load.acknowledged.values(), stoppedMs);
    recordFault({
      fault: "PostgreSQL primary demoted, replica promoted",
      addedLatencyMs: load.addedLatencyMs(),
      recoveryMs: firstAfter(load.acknowledged.values(), promotedMs) - promotedMs,
      errors: told(load.errors),
    });
    expect(outageMs).toBeLessThan(5000);

    await servers.demotePrimary();
    const rejoinedAt = load.acknowledged.size;
    await eventually(() => load.acknowledged.size > rejoinedAt + 100);
    await load.stop();
    for (const error of load.errors) expect(sqlFailure(error)).toBe("unavailable");
    expect(servers.primary.log().join("\n")).not.toContain("read-only transaction");
    expect(found().map(({ host }) => host)).toEqual([`127.0.0.1:${primary.port}`, `127.0.0.1:${replica.port}`]);

    const written = (await ask<{ id: number }>(replica.url, entries)).map(({ id }) => id);
    expect(new Set(written).size).toBe(written.length);
    expect([...load.acknowledged.keys()].filter((id) => !written.includes(id))).toEqual([]);
    // The old primary is a replica of the new one now, and serves reads as such.
    await eventually(() => isReplica(db));
  });

  it("leaves a frozen primary, and does not write to it when it goes on on its old line", async () => {
    await using servers = await startPostgresReplica({ native, settings: fastSettings });
    const { primary, replica } = servers;
    await ask(primary.url, "create table entry (id int)");
    const db = open({ urls: [primary.url, replica.url], connectTimeoutMs: 500, probeMs: 500 });
    const evicted = postgresEventsOf("host-evicted");
    const load = putUnderLoad(db);
    await eventually(() => load.acknowledged.size > 100);

    await frozen(
      primary.pid,
      async () => {
        const frozenMs = clock.monotonic();
        await servers.promote();
        const promotedMs = clock.monotonic();
        await eventually(() => lastOf(load.acknowledged.values()) > promotedMs);
        const outageMs = outageOf(load.acknowledged.values(), frozenMs);
        recordFault({
          fault: "PostgreSQL primary frozen, replica promoted",
          addedLatencyMs: load.addedLatencyMs(),
          recoveryMs: firstAfter(load.acknowledged.values(), promotedMs) - promotedMs,
          errors: told(load.errors),
        });
        expect(outageMs).toBeLessThan(5000);
        // What was under way failed with its own error, long before its own deadline of 30 s.
        expect(load.errors).toContainEqual(
          expect.objectContaining({ code: "ERR_SLUICE_POSTGRES_UNKNOWN", reason: "evicted" }),
        );
      },
      { tree: true },
    );
    // It goes on where it was, and accepts writes.
    const sessions = "select pid from pg_stat_activity where application_name = 'load' and state <> 'idle'";
    await eventually(async () => (await ask(primary.url, sessions)).length === 0);
    const rows = await ask(primary.url, entries);
    const before = load.acknowledged.size;
    await eventually(() => db.hosts().some(({ role }) => role === "stale"));
    await eventually(() => load.acknowledged.size > before + 200);
    expect(await ask(primary.url, entries)).toEqual(rows);
    await load.stop();

    // Not even when nothing else is left.
    await db.inspect();
    await frozen(
      replica.pid,
      async () => {
        await db.inspect();
        expect(await thrownBy(db.query("insert into entry values (-1)"))).toMatchObject({
          code: "ERR_SLUICE_POSTGRES_UNAVAILABLE",
          reason: "no-primary",
        });
      },
      { tree: true },
    );
    expect(await ask(primary.url, entries)).toEqual(rows);
    expect(evicted().map(({ host }) => host)).toEqual([`127.0.0.1:${primary.port}`]);
  });
});
