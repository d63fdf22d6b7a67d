import { findEmbeddedPostgres, findPostgres } from "@sluice/testing/services";
import pg from "pg";
import { vi } from "vitest";

import type { Postgres } from "../../src/connect.ts";

/** Settings under which a server of a test is fast; nothing here is about a loss of power. */
export const fastSettings = { fsync: "off", full_page_writes: "off", shared_buffers: "32MB" } as const;

/** Where PostgreSQL is installed. One of the two is always there. */
export async function installation(): Promise<string> {
  return (await findPostgres()) ?? (await findEmbeddedPostgres()) ?? "";
}

/** Asks a server directly, on a connection of its own. */
export async function ask<Row>(url: string, text: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => undefined);
  await client.connect();
  try {
    return (await client.query(text)).rows as Row[];
  } finally {
    await client.end();
  }
}

/** Waits until something holds. */
export async function eventually(holds: () => boolean | Promise<boolean>, timeoutMs = 10_000): Promise<void> {
  await vi.waitUntil(holds, { timeout: timeoutMs, interval: 10 });
}

/** Waits until reads of the handle go to a replica, for which it has to have seen it replay. */
export async function untilReplicaServes(db: Postgres): Promise<void> {
  await eventually(async () => isReplica(db));
}

/** Whether a read now goes to a replica. */
export async function isReplica(db: Pick<Postgres, "read">): Promise<boolean> {
  const { rows } = await db.read().query<{ is: boolean }>("select pg_is_in_recovery() as is");
  return rows[0]?.is === true;
}
