import { link, readFile, rename, rm, writeFile } from "node:fs/promises";

import { identify, isRunning, type ProcessIdentity } from "./process-identity.ts";

/** A claim to a folder, held by this process. */
export interface OwnerFile {
  release(): Promise<void>;
}

/** Who has the claim. */
export interface Claimed {
  readonly by: ProcessIdentity;
}

/**
 * Claims a folder for this process by a file in it, which names the process. The claim of a process that is gone is
 * taken over. Whatever goes wrong here, PostgreSQL's own lock file still lets only one server have the data.
 */
export async function claim(file: string): Promise<OwnerFile | Claimed> {
  const self = await identify(process.pid);
  const text = JSON.stringify(self);
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, text);
  try {
    for (;;) {
      // A link is made with its content or not at all, and never over another file.
      const made = await link(draft, file).then(() => true, unlessExists);
      if (made) return { release: () => release(file, text) };
      const holder = await read(file);
      const owner = parse(holder);
      if (owner !== undefined && (await isRunning(owner))) return { by: owner };
      if (holder !== undefined) await takeAway(file, holder);
    }
  } finally {
    await rm(draft, { force: true });
  }
}

function unlessExists(error: NodeJS.ErrnoException): false {
  if (error.code === "EEXIST") return false;
  throw error;
}

/** Removes a claim that was judged void, unless it has become another's meanwhile. */
async function takeAway(file: string, judged: string): Promise<void> {
  const aside = `${file}.${process.pid}.void`;
  try {
    await rename(file, aside);
  } catch {
    return;
  }
  if ((await read(aside)) !== judged) await link(aside, file).catch(() => undefined);
  await rm(aside, { force: true });
}

async function release(file: string, text: string): Promise<void> {
  if ((await read(file)) === text) await rm(file, { force: true });
}

async function read(file: string): Promise<string | undefined> {
  return readFile(file, "utf8").catch(() => undefined);
}

function parse(text: string | undefined): ProcessIdentity | undefined {
  try {
    const value = JSON.parse(text ?? "") as Partial<ProcessIdentity>;
    return Number.isSafeInteger(value.pid)
      ? { pid: Number(value.pid), startTicks: value.startTicks ?? null }
      : undefined;
  } catch {
    return undefined;
  }
}
