import { createHash } from "node:crypto";
import { mkdtemp, rename, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { copyFolder } from "./copy-folder.ts";
import { createKeeper } from "./keeper.ts";
import type { PostmasterPlace } from "./postgres-program.ts";
import { runToEnd } from "./start-server.ts";
import { makePrivate, unprivilegedUser } from "./unprivileged.ts";

const variable = "SLUICE_POSTGRES_TEMPLATES";

/** Where a data folder is to be made, and of which installation. */
export interface DataPlace extends PostmasterPlace {
  /** The installation, wherever its binaries were copied to. */
  readonly native: string;
}

/**
 * Lets the PostgreSQL servers that this process and the processes it starts will launch be filled from one copy of what
 * `initdb` has made, which takes a tenth of the time. It changes no more than that: each has its own data. They share a
 * system identifier, so it is for tests alone. The copies are removed when it is disposed of, or this process ends.
 *
 * Sets the environment variable `SLUICE_POSTGRES_TEMPLATES`. Where that is set already, it does nothing.
 */
export async function keepPostgresTemplates(): Promise<AsyncDisposable> {
  if (process.env[variable]) return { [Symbol.asyncDispose]: async () => undefined };
  const folder = await mkdtemp(path.join(tmpdir(), "sluice-templates-"));
  const keeper = createKeeper({ folders: [folder], stopSignal: "SIGTERM" });
  keeper.unref();
  await makePrivate(folder, await unprivilegedUser());
  process.env[variable] = folder;
  return {
    async [Symbol.asyncDispose]() {
      if (process.env[variable] === folder) delete process.env[variable];
      await keeper[Symbol.asyncDispose]();
    },
  };
}

/**
 * Fills the data folder of a place, which is there and empty, by `initdb` or from a template.
 *
 * @throws `ERR_SLUICE_SERVER_START` with the last words of `initdb`.
 */
export async function fillDataFolder(place: DataPlace): Promise<void> {
  const { keeper, dataFolder, native, user } = place;
  const folder = process.env[variable];
  if (!folder) return initialise(place);
  const key = createHash("sha256").update(`${native}\0${user?.name}`).digest("hex");
  const template = path.join(folder, key);
  if (await isFolder(template)) return copyFolder(keeper, { from: template, to: dataFolder, user });
  await initialise(place);
  // Whoever comes first keeps it. It is whole from the moment that it has its name.
  const fresh = await mkdtemp(`${template}-`);
  await makePrivate(fresh, user);
  await copyFolder(keeper, { from: dataFolder, to: fresh, user });
  await rename(fresh, template).catch(() => rm(fresh, { recursive: true, force: true }));
}

async function initialise({ keeper, user, bin, dataFolder }: DataPlace): Promise<void> {
  const fixed = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "-N", "--no-instructions"];
  const args = ["-D", dataFolder, ...fixed, ...locale()];
  const program = { file: path.join(bin, "initdb"), args, cwd: dataFolder, uid: user?.uid, gid: user?.gid };
  await runToEnd(keeper, "initdb", program);
}

// Letters beyond ASCII have upper and lower case, and text sorts by code point: the same on every machine.
function locale(): string[] {
  if (process.platform === "linux") return ["--locale=C.UTF-8"];
  return process.platform === "darwin" ? ["--locale=C", "--lc-ctype=UTF-8"] : ["--locale=C"];
}

async function isFolder(folder: string): Promise<boolean> {
  return stat(folder).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
