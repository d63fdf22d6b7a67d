import { mkdir, mkdtemp, readdir, rename, rmdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { InvalidArgumentError } from "@sluice/core";

import { FolderUnreachableError } from "./errors.ts";
import { onPort } from "./free-port.ts";
import { createKeeper } from "./keeper.ts";
import { fillDataFolder, type DataPlace } from "./postgres-data.ts";
import { reachableBin, startPostmaster, type PostgresSettings, type PostmasterPlace } from "./postgres-program.ts";
import { canEnter, makePrivate, unprivilegedUser } from "./unprivileged.ts";

/** How {@link launchPostgres} runs a server. */
export interface LaunchPostgresOptions {
  /** Folder of an installation, with `bin/postgres` and `bin/initdb`: see `findPostgres` and `findEmbeddedPostgres`. */
  readonly native: string;
  /**
   * Where the data stays between launches. It is made when it is missing, and filled when it is empty. Default: a
   * temporary folder, removed at the end.
   */
  readonly dataFolder?: string;
  /** Loopback port. Default: a free one. */
  readonly port?: number;
  /** Server settings, such as `{ max_connections: 200 }`. Default: PostgreSQL's own, which are durable. */
  readonly settings?: PostgresSettings;
}

/**
 * How PostgreSQL ends: `fast` ends the sessions and writes a checkpoint, `smart` waits for the sessions to end by
 * themselves, `immediate` is a crash, after which the next start recovers.
 */
export type PostgresStopMode = "smart" | "fast" | "immediate";

/** A PostgreSQL that {@link launchPostgres} has started. */
export interface LaunchedPostgres extends AsyncDisposable {
  /** Of the postmaster. */
  readonly pid: number;
  /** On 127.0.0.1. */
  readonly port: number;
  /** The superuser `postgres` and the database `postgres`, on 127.0.0.1, without a password. */
  readonly url: string;
  /** Where its data is. */
  readonly dataFolder: string;
  /** Resolves to what became of it, such as `"ended with 0"`, whoever ended it. */
  readonly exited: Promise<string>;
  /** The last 20 lines of its log, oldest first. */
  readonly log: () => readonly string[];
  /** Resolves once the server has ended and nothing temporary is left. Idempotent. Default `"fast"`. */
  readonly stop: (mode?: PostgresStopMode) => Promise<void>;
}

/** Settings under which a crash loses data. They make throwaway databases several times faster. */
export const throwawaySettings = {
  fsync: "off",
  synchronous_commit: "off",
  full_page_writes: "off",
} as const;

const stopSignals = { smart: "SIGTERM", fast: "SIGINT", immediate: "SIGQUIT" } as const;

/**
 * Runs a real PostgreSQL, reachable on 127.0.0.1 only, that ends when this process does: at the latest a moment after
 * it was killed. On a data folder with `standby.signal` it is ready when it answers reads. As root the server runs as the user `postgres` or `nobody`, and binaries that this user cannot reach
 * are copied to a temporary folder first.
 *
 * @throws `ERR_SLUICE_SERVER_START` with the last lines of the server's log, for instance when another server uses the
 *   data folder.
 * @throws `ERR_SLUICE_FOLDER_UNREACHABLE` as root, when the unprivileged user cannot enter `dataFolder`.
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` when `native` holds no PostgreSQL, or `port` is none.
 */
export async function launchPostgres(options: LaunchPostgresOptions): Promise<LaunchedPostgres> {
  const { native, port, settings = {} } = options;
  if (port !== undefined && !(Number.isInteger(port) && port > 0 && port < 65_536)) {
    throw new InvalidArgumentError("port", "a whole number from 1 to 65535", port);
  }
  const [user, temporary] = [await unprivilegedUser(), await mkdtemp(path.join(tmpdir(), "sluice-postgres-"))];
  const dataFolder = path.resolve(options.dataFolder ?? path.join(temporary, "data"));
  const fresh = `${dataFolder}.new-${path.basename(temporary).slice("sluice-postgres-".length)}`;
  const keeper = createKeeper({ folders: [temporary, fresh], stopSignal: stopSignals.fast });
  try {
    await makePrivate(temporary, user);
    const bin = await reachableBin(native, { programs: ["postgres", "initdb"], user, keeper, temporary });
    const place = { keeper, user, bin, dataFolder, native };
    await fill(place, fresh);
    return await onPort(port, (chosen) => serve(place, chosen, settings));
  } catch (error) {
    await keeper[Symbol.asyncDispose]();
    throw error;
  }
}

async function serve(place: PostmasterPlace, port: number, settings: PostgresSettings): Promise<LaunchedPostgres> {
  const { keeper, dataFolder } = place;
  const { pid, exited, log } = await startPostmaster(place, port, settings);
  async function stop(mode: PostgresStopMode = "fast"): Promise<void> {
    if (mode !== "fast") {
      keeper.signal(stopSignals[mode]);
      await exited;
    }
    await keeper[Symbol.asyncDispose]();
  }
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  return { pid, port, url, dataFolder, exited, log, stop, [Symbol.asyncDispose]: () => stop() };
}

/** Makes the data folder and fills it when it is empty. A filling that was cut off leaves it empty. */
async function fill(place: DataPlace, fresh: string): Promise<void> {
  const { user, dataFolder } = place;
  await mkdir(dataFolder, { recursive: true });
  const empty = (await readdir(dataFolder)).length === 0;
  if (empty) await makePrivate(dataFolder, user);
  if (user && !(await canEnter(user, dataFolder))) throw new FolderUnreachableError(dataFolder, user.name);
  if (!empty) return;
  await mkdir(fresh);
  await makePrivate(fresh, user);
  await fillDataFolder({ ...place, dataFolder: fresh });
  await moveInto(dataFolder, fresh);
}

async function moveInto(dataFolder: string, fresh: string): Promise<void> {
  try {
    await rmdir(dataFolder);
    await rename(fresh, dataFolder);
  } catch (error) {
    // Another launch has filled it meanwhile. Which of the two may serve it, PostgreSQL decides by its lock file.
    if (!["ENOTEMPTY", "EEXIST"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
}
