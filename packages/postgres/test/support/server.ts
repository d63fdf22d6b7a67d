import { createServer, connect, type AddressInfo, type Socket } from "node:net";

import type { Sql } from "@sluice/postgres";
import { afterAll, vi } from "vitest";

/** The process id of the session behind a handle. */
export async function backendOf(sql: Sql): Promise<number> {
  return (await sql.query<{ pid: number }>("select pg_backend_pid() as pid")).rows[0]?.pid ?? 0;
}

/** Ends a session from another one, and waits until the server has done so. */
export async function terminate(watcher: Sql, pid: number): Promise<void> {
  await watcher.query("select pg_terminate_backend($1, 10000)", [pid]);
}

/** Waits until the session waits for a lock. */
export async function untilBlocked(watcher: Sql, pid: number): Promise<void> {
  await until(watcher, `select 1 from pg_stat_activity where pid = ${pid} and wait_event_type = 'Lock'`);
}

/** Waits until a query answers at least one row. */
export async function until(watcher: Sql, text: string): Promise<void> {
  await vi.waitUntil(async () => (await watcher.query(text)).rowCount > 0, { timeout: 10_000, interval: 10 });
}

/** A way for tests to hold several works at the same point. */
export function createBarrier(parties: number): () => Promise<void> {
  let waiting = parties;
  const open = Promise.withResolvers<void>();
  return () => {
    waiting -= 1;
    if (waiting === 0) open.resolve();
    return open.promise;
  };
}

/** A port of loopback at which nobody listens. */
export async function closedPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A relay to the server, which can lose the answer to one statement. */
export interface Relay {
  readonly url: string;
  /** Cuts the connection in place of the next answer to a statement with this text. The server has carried it out. */
  loseAnswerTo(text: string): void;
}

export async function openRelay(serverUrl: string): Promise<Relay> {
  let fatal: string | undefined;
  const target = new URL(serverUrl);
  const sockets = new Set<Socket>();
  const relay = createServer((client) => {
    const server = connect(Number(target.port || 5432), target.hostname);
    let cutting = false;
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      sockets.add(from);
      from.on("error", () => to.destroy());
      from.on("close", () => to.destroy());
    }
    client.on("data", (bytes) => {
      if (fatal !== undefined && bytes.includes(`${fatal}\0`)) {
        cutting = true;
        fatal = undefined;
      }
      server.write(bytes);
    });
    server.on("data", (bytes) => (cutting ? client.destroy() : client.write(bytes)));
  });
  relay.listen(0, "127.0.0.1");
  await new Promise((resolve) => relay.once("listening", resolve));
  afterAll(() => {
    for (const socket of sockets) socket.destroy();
    relay.close();
  });
  const url = new URL(serverUrl);
  url.host = `127.0.0.1:${(relay.address() as AddressInfo).port}`;
  return {
    url: url.href,
    loseAnswerTo(text) {
      fatal = text;
    },
  };
}
