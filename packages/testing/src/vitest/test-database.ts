import { hasCode, systemRandom } from "@sluice/core";
import { afterAll } from "vitest";

import { service } from "./provided.ts";

const objectInUse = "55006";

const created: string[] = [];

/**
 * Creates an empty database on the PostgreSQL of this run. It is dropped after the test file, with whatever is still
 * connected to it. Needs the package `pg`.
 *
 * @returns its URL.
 */
export async function createTestDatabase(): Promise<string> {
  const { url } = service("postgres");
  const name = `sluice_test_${Buffer.from(systemRandom.bytes(10)).toString("hex")}`;
  await onServer(url, `create database ${name}`);
  created.push(name);
  const own = new URL(url);
  own.pathname = `/${name}`;
  return own.href;
}

// Registered while the test file is collected, so it runs after the file's own hooks have closed their connections.
afterAll(async () => {
  for (const name of created.splice(0)) await drop(name);
});

/**
 * A pool says that it has ended before its sessions have, and one that is thrown out then fails the run with an error
 * that nobody listens to any more. So PostgreSQL first waits for them, which it does for 5 s.
 */
async function drop(name: string): Promise<void> {
  const { url } = service("postgres");
  try {
    await onServer(url, `drop database ${name}`);
  } catch (error) {
    if (!hasCode(error, objectInUse)) throw error;
    await onServer(url, `drop database ${name} with (force)`);
  }
}

async function onServer(url: string, statement: string): Promise<void> {
  const { default: pg } = await import("pg");
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
