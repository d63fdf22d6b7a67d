import { appendFile, chown, cp, mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { createKeeper, type Keeper } from "../services/keeper.ts";
import { runToEnd } from "../services/start-server.ts";
import { makePrivate, type UnprivilegedUser } from "../services/unprivileged.ts";
import { ownConfiguration } from "./postgres-node.ts";

/** A temporary folder, and the keeper that removes it. */
export interface Home {
  readonly folder: string;
  readonly keeper: Keeper;
}

/** Makes a folder for one server, owned by whom the server runs as. */
export async function createHome(user: UnprivilegedUser | undefined): Promise<Home> {
  const folder = await mkdtemp(path.join(tmpdir(), "sluice-postgres-"));
  // What is removed next needs no orderly end.
  const keeper = createKeeper({ folders: [folder], stopSignal: "SIGQUIT" });
  await makePrivate(folder, user);
  return { folder, keeper };
}

/** Fills a data folder, and lets the configuration include a file of ours. */
export async function initialise(home: Home, bin: string, user: UnprivilegedUser | undefined): Promise<string> {
  const dataFolder = path.join(home.folder, "data");
  const args = [
    "-D",
    dataFolder,
    "-U",
    "postgres",
    "-A",
    "trust",
    "-E",
    "UTF8",
    "--locale=C",
    "-N",
    "--no-instructions",
  ];
  const file = path.join(bin, "initdb");
  await runToEnd(home.keeper, "initdb", { file, args, cwd: home.folder, uid: user?.uid, gid: user?.gid });
  await appendFile(path.join(dataFolder, "postgresql.conf"), `\ninclude_if_exists = '${ownConfiguration}'\n`);
  return dataFolder;
}

/** Copies the data folder of a server that does not run. */
export async function copyCold(from: string, home: Home, user: UnprivilegedUser | undefined): Promise<string> {
  const dataFolder = path.join(home.folder, "data");
  await cp(from, dataFolder, { recursive: true, verbatimSymlinks: true });
  // The slots of the primary would hold back the replica's own write-ahead log for nobody.
  const slots = path.join(dataFolder, "pg_replslot");
  for (const slot of await readdir(slots)) await rm(path.join(slots, slot), { recursive: true });
  for (const name of await readdir(dataFolder, { recursive: true })) {
    if (user) await chown(path.join(dataFolder, name), user.uid, user.gid);
  }
  await makePrivate(dataFolder, user);
  return dataFolder;
}

/** Whether there is such a file. */
export async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}
