import { mkdir, stat } from "node:fs/promises";
import path from "node:path";

import { InvalidArgumentError } from "@sluice/core";

import { copyFolder } from "./copy-folder.ts";
import type { Keeper, KeptProcess } from "./keeper.ts";
import { startServer } from "./start-server.ts";
import { canRun, type UnprivilegedUser } from "./unprivileged.ts";

/** Which programs of an installation are needed, and who runs them. */
export interface NeededPrograms {
  readonly programs: readonly string[];
  readonly user: UnprivilegedUser | undefined;
  /** Makes the copy. */
  readonly keeper: Keeper;
  /** Where a copy may go. The user can enter it. */
  readonly temporary: string;
}

/**
 * The folder of binaries that the user can run: that of the installation, or a copy.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` when a program is missing.
 */
export async function reachableBin(
  native: string,
  { programs, user, keeper, temporary }: NeededPrograms,
): Promise<string> {
  const bin = path.join(native, "bin");
  const suffix = process.platform === "win32" ? ".exe" : "";
  for (const program of programs) {
    const found = await stat(path.join(bin, program + suffix)).catch(() => undefined);
    if (!found) throw new InvalidArgumentError("native", `a folder with bin/${program}`, native);
  }
  if (!user || (await canRun(user, path.join(bin, "postgres")))) return bin;
  const copy = path.join(temporary, "native");
  for (const part of ["bin", "lib", "share"]) {
    await mkdir(path.join(copy, part), { recursive: true });
    await copyFolder(keeper, { from: path.join(native, part), to: path.join(copy, part) });
  }
  return path.join(copy, "bin");
}

/** Settings of a PostgreSQL by name. */
export type PostgresSettings = Readonly<Record<string, string | number | boolean>>;

/** What a server runs from, and on. */
export interface PostmasterPlace {
  readonly keeper: Keeper;
  readonly user: UnprivilegedUser | undefined;
  readonly bin: string;
  readonly dataFolder: string;
}

const fixed: PostgresSettings = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  lc_messages: "C",
  logging_collector: "off",
};

/**
 * Runs a PostgreSQL on 127.0.0.1 until it accepts connections, a standby until it accepts those that only read. From
 * then on the keeper does not keep this process running.
 *
 * @throws `ERR_SLUICE_SERVER_START` with the server's last words.
 */
export async function startPostmaster(
  { keeper, user, bin, dataFolder }: PostmasterPlace,
  port: number,
  settings: PostgresSettings,
): Promise<KeptProcess> {
  const given = Object.entries({ ...settings, ...fixed }).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const server = await startServer(keeper, "postgres", {
    file: path.join(bin, "postgres"),
    args: ["-D", dataFolder, "-p", String(port), ...given],
    cwd: dataFolder,
    uid: user?.uid,
    gid: user?.gid,
    ready: /database system is ready to accept (read-only )?connections/,
  });
  keeper.unref();
  return server;
}
