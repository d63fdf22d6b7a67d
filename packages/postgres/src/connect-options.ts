import { type Clock, InvalidArgumentError, type Random, systemClock, systemRandom } from "@sluice/core";
import type pg from "pg";

import type { HostPlan } from "./host-plan.ts";
import { hostAddresses, type HostAddress } from "./host-url.ts";

/** How {@link connectPostgres} connects. All hosts are used alike. */
export interface ConnectPostgresOptions {
  /**
   * The servers of one cluster, in any order: which of them is the primary is found out. Each is a URL, or a URL with
   * several hosts as `libpq` has it. Server names only tell hosts apart, so name each server once.
   */
  readonly urls: string | readonly string[];
  /**
   * Who serves reads. `"auto"`: every host that is a replica. `"none"`: the primary alone. URLs: these hosts, in
   * addition to `urls`; they are never written, even when promoted. Default `"auto"`.
   */
  readonly replicas?: "auto" | "none" | readonly string[];
  /** Most connections per host for statements. Default 10. One more per host asks for its role. */
  readonly max?: number;
  /** Most calls that wait for a connection, per host. Default 1000. */
  readonly maxWaiting?: number;
  /** Longest time from the first packet to the end of authentication, and for an answer about the role. Default 1500 ms. */
  readonly connectTimeoutMs?: number;
  /** Longest wait for a connection, when all are taken. Default 5000 ms. */
  readonly acquireTimeoutMs?: number;
  /**
   * Longest run of a statement; 0 for no limit. The server ends it at this time, and 500 ms later its client is
   * destroyed. A transaction that sets `statement_timeout` itself has the server's limit alone. Default 30 000 ms.
   */
  readonly statementTimeoutMs?: number;
  /** After this time without use a connection is closed; 0 for never. Default 30 000 ms. */
  readonly idleTimeoutMs?: number;
  /**
   * How often the hosts are asked: while there is no primary, and with several hosts while the handle is in use. Also,
   * how long a statement may run before its host is asked whether it lives. Default 1000 ms, spread by a fifth.
   */
  readonly probeMs?: number;
  /**
   * Oldest data that a read may see. At least twice `probeMs`, which is how exactly the age is known. Default 5000 ms.
   */
  readonly maxLagMs?: number;
  /** How long {@link Postgres.close} lets work finish. Default 5000 ms. */
  readonly closeTimeoutMs?: number;
  /** Shown in `pg_stat_activity`, unless the URL says otherwise. */
  readonly applicationName?: string;
  /** Settings of every session, such as `{ search_path: "shop" }`, unless the URL has `options`. PgBouncer refuses them. */
  readonly settings?: Readonly<Record<string, string>>;
  /** TLS options as of `node:tls`, or `true` for the usual ones, unless the URL has an `sslmode`. */
  readonly ssl?: boolean | object;
  /** Asked for every connection whose URL holds no password, for instance where passwords are tokens that expire. */
  readonly password?: () => string | Promise<string>;
  /** Default: this machine's. */
  readonly clock?: Clock;
  /** Spreads probes, and reads over replicas. Default: this machine's. */
  readonly random?: Random;
}

/** The options, checked and complete. */
export interface ConnectPlan {
  readonly addresses: readonly HostAddress[];
  readonly readersOnly: ReadonlySet<string>;
  readonly readsFromReplicas: boolean;
  readonly maxLagMs: number;
  readonly closeTimeoutMs: number;
  readonly random: Random;
  readonly host: Omit<HostPlan, "name" | "client">;
  readonly client: pg.ClientConfig;
}

/** @throws `ERR_SLUICE_INVALID_ARGUMENT` naming the option; a URL is never shown. */
export function connectPlan(options: ConnectPostgresOptions): ConnectPlan {
  const { replicas = "auto", maxLagMs = 5000, closeTimeoutMs = 5000, random = systemRandom } = options;
  const host = hostLimits(options);
  assertWhole({ closeTimeoutMs }, 0);
  assertWhole({ maxLagMs }, 2 * host.probeMs);
  const writable = hostAddresses("urls", options.urls);
  const names = new Set(writable.map(({ name }) => name));
  const listed = isList(replicas) && replicas.length > 0 ? hostAddresses("replicas", replicas) : [];
  const reading = listed.filter(({ name }) => !names.has(name));
  return {
    addresses: [...writable, ...reading],
    readersOnly: new Set(reading.map(({ name }) => name)),
    readsFromReplicas: replicas !== "none",
    maxLagMs,
    closeTimeoutMs,
    random,
    host,
    client: clientOptions(options),
  };
}

function hostLimits(options: ConnectPostgresOptions): ConnectPlan["host"] {
  const { max = 10, maxWaiting = 1000, connectTimeoutMs = 1500, acquireTimeoutMs = 5000, probeMs = 1000 } = options;
  const { statementTimeoutMs = 30_000, idleTimeoutMs = 30_000, clock = systemClock } = options;
  assertWhole({ max, connectTimeoutMs, probeMs }, 1);
  assertWhole({ maxWaiting, statementTimeoutMs, idleTimeoutMs }, 0);
  assertWhole({ acquireTimeoutMs }, connectTimeoutMs);
  return { max, maxWaiting, connectTimeoutMs, acquireTimeoutMs, statementTimeoutMs, idleTimeoutMs, probeMs, clock };
}

function isList(replicas: string | readonly string[]): replicas is readonly string[] {
  if (typeof replicas !== "string") return true;
  if (replicas === "auto" || replicas === "none") return false;
  throw new InvalidArgumentError("replicas", `"auto", "none" or a list of URLs`, "(not shown)");
}

function clientOptions({ applicationName, settings = {}, ssl, password }: ConnectPostgresOptions): pg.ClientConfig {
  const set = Object.entries(settings).map(([name, value]) => `-c ${escaped(`${name}=${value}`)}`);
  assertStartable({ applicationName, settings: set.join(" ") });
  return {
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    ...(applicationName === undefined ? {} : { application_name: applicationName }),
    ...(set.length === 0 ? {} : { options: set.join(" ") }),
    ...(ssl === undefined ? {} : { ssl }),
    ...(password === undefined ? {} : { password }),
  };
}

// The server splits `options` at white space, which a backslash keeps together.
function escaped(text: string): string {
  return text.replaceAll(/[\\\s]/g, String.raw`\$&`);
}

/** Where a connection begins, NUL ends a text, and the server takes what follows for something else. */
function assertStartable(texts: Readonly<Record<string, string | undefined>>): void {
  for (const [name, text] of Object.entries(texts)) {
    if (text?.includes("\0")) throw new InvalidArgumentError(name, "without NUL", text);
  }
}

function assertWhole(options: Readonly<Record<string, number>>, least: number): void {
  for (const [name, value] of Object.entries(options)) {
    if (!(Number.isSafeInteger(value) && value >= least)) {
      throw new InvalidArgumentError(name, `a whole number from ${least}`, value);
    }
  }
}
