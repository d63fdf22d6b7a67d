import { connect as connectTcp } from "node:net";
import { connect as connectTls } from "node:tls";

import { exchange } from "./redis-exchange.ts";

const longestReplyMs = 10_000;

/** What a server says about itself. */
export interface ServerDescription {
  /** Such as `"15.18"` or `"7.0.15"`, `"Valkey 8.1.1"` for a Valkey. */
  readonly version: string;
  /** Whether it keeps what it has acknowledged through a crash of its machine. */
  readonly durable: boolean;
}

/**
 * Asks a PostgreSQL for its version. Needs the package `pg`.
 *
 * @throws `Error` of the driver.
 */
export async function describePostgres(url: string): Promise<ServerDescription> {
  const { default: pg } = await import("pg");
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: longestReplyMs });
  await client.connect();
  try {
    const { rows } = await client.query<{ version: string; durable: boolean }>(
      `select version(), current_setting('fsync')::boolean and current_setting('full_page_writes')::boolean
         and current_setting('synchronous_commit') <> 'off' as durable`,
    );
    const { version, durable } = rows[0]!;
    return { version: /^PostgreSQL (\S+)/.exec(version)?.[1] ?? version, durable };
  } finally {
    await client.end();
  }
}

/**
 * Asks a Redis for its version, without a client library.
 *
 * @throws `Error` when it cannot be reached, refuses the password, or is no Redis.
 */
export async function describeRedis(url: string): Promise<ServerDescription> {
  const { hostname, port, username, password, protocol } = new URL(url);
  const where = { host: hostname.replace(/^\[|\]$/g, ""), port: Number(port || 6379) };
  const [user, secret] = [username, password].map((part) => decodeURIComponent(part));
  const auth = secret ? [["AUTH", ...(user ? [user] : []), secret]] : [];
  const socket = protocol === "rediss:" ? connectTls({ ...where, servername: where.host }) : connectTcp(where);
  const answers = await exchange(socket, [...auth, ["INFO"]], longestReplyMs);
  const info = answers.at(-1);
  // A password that the server does not ask for is no reason to refuse it.
  if (info instanceof Error) throw answers.find((answer) => answer instanceof Error) ?? info;
  const lines = String(info).split("\r\n");
  const facts = new Map(lines.map((line) => line.split(/:(.*)/s, 2) as [string, string]));
  const version = facts.get("redis_version");
  if (version === undefined) throw new Error("what answers there is no Redis");
  const valkey = facts.get("valkey_version");
  return { version: valkey === undefined ? version : `Valkey ${valkey}`, durable: facts.get("aof_enabled") === "1" };
}
