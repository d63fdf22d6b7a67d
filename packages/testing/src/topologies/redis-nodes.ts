import { sleep, systemClock } from "@sluice/core";

import { ServerStartError, ServiceUnavailableError } from "../services/errors.ts";
import { findRedis } from "../services/find-binaries.ts";
import { launchRedis, type LaunchedRedis, type LaunchRedisOptions } from "../services/launch-redis.ts";
import { askRedis } from "../services/redis-exchange.ts";

/** A server that can be stopped. */
export interface Stoppable {
  stop(): Promise<void>;
}

/**
 * The program to run nodes of: the one that was given, else the one on this machine.
 *
 * @throws `ERR_SLUICE_SERVICE_UNAVAILABLE` where there is none.
 */
export async function redisBinary(given: string | undefined, find = findRedis): Promise<string> {
  const binary = given ?? (await find());
  if (binary !== undefined) return binary;
  throw new ServiceUnavailableError("redis", [
    "local: no redis-server or valkey-server on PATH or in the usual folders",
  ]);
}

// A replica gets its first copy at once, instead of after five seconds in which others could join it.
const replicating = { "repl-diskless-sync-delay": 0 };

/** Starts a node of a topology. */
export function launchNode({ settings, ...options }: LaunchRedisOptions): Promise<LaunchedRedis> {
  return launchRedis({ ...options, settings: { ...replicating, ...settings } });
}

/** Starts servers at once. When one does not start, the others are stopped again, and its error is thrown. */
export async function startAll<T extends Stoppable>(starts: readonly Promise<T>[]): Promise<T[]> {
  const outcomes = await Promise.allSettled(starts);
  const failed = outcomes.find((outcome) => outcome.status === "rejected");
  const started = outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
  if (!failed) return started;
  await stopAll(started);
  throw failed.reason;
}

/** Stops servers, all at once. */
export async function stopAll(servers: readonly Stoppable[]): Promise<void> {
  await Promise.all(servers.map((server) => server.stop()));
}

/** What a server reports of its replication, by name: `role`, `master_link_status`, `connected_slaves` and others. */
export async function replicationOf(port: number): Promise<ReadonlyMap<string, string>> {
  const [info] = await askRedis(port, ["INFO", "replication"]);
  return new Map(
    String(info)
      .split("\r\n")
      .map((line) => line.split(/:(.*)/s, 2) as [string, string]),
  );
}

const longestWaitMs = 60_000;
// Servers tell nobody when they have agreed, so they are asked again and again.
const pollMs = 25;

/**
 * Waits until something holds of the servers of a topology. One that does not answer is asked again.
 *
 * @throws `ERR_SLUICE_SERVER_START` when it does not hold within a minute.
 */
export async function untilHolds(
  what: string,
  of: { readonly log: () => readonly string[] },
  holds: () => Promise<boolean>,
): Promise<void> {
  const untilMs = systemClock.monotonic() + longestWaitMs;
  while (!(await holds().catch(() => false))) {
    if (systemClock.monotonic() > untilMs) throw new ServerStartError("redis", `waited in vain for ${what}`, of.log());
    await sleep(systemClock, pollMs);
  }
}
