import { appendFile, mkdir, mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { copyFolder } from "../services/copy-folder.ts";
import { createKeeper, type Keeper } from "../services/keeper.ts";
import { fillDataFolder, type DataPlace } from "../services/postgres-data.ts";
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
export async function initialise(
  { folder, keeper }: Home,
  of: Omit<DataPlace, "keeper" | "dataFolder">,
): Promise<string> {
  const dataFolder = path.join(folder, "data");
  await mkdir(dataFolder);
  await makePrivate(dataFolder, of.user);
  await fillDataFolder({ ...of, keeper, dataFolder });
  await appendFile(path.join(dataFolder, "postgresql.conf"), `\ninclude_if_exists = '${ownConfiguration}'\n`);
  return dataFolder;
}

/** Copies the data folder of a server that does not run. */
export async function copyCold(
  from: string,
  { folder, keeper }: Home,
  user: UnprivilegedUser | undefined,
): Promise<string> {
  const dataFolder = path.join(folder, "data");
  await mkdir(dataFolder);
  await makePrivate(dataFolder, user);
  await copyFolder(keeper, { from, to: dataFolder, user });
  // The slots of the primary would hold back the replica's own write-ahead log for nobody.
  const slots = path.join(dataFolder, "pg_replslot");
  for (const slot of await readdir(slots)) await rm(path.join(slots, slot), { recursive: true });
  return dataFolder;
}

/** Whether there is such a file. */
export async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}
