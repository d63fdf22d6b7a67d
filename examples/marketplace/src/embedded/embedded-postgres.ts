import { rmdir } from "node:fs/promises";
import path from "node:path";

import { hasCode } from "@sluice/core";
import { findEmbeddedPostgres, findPostgres, launchPostgres } from "@sluice/testing/services";

import { stopOrphan } from "./orphan.ts";
import { claimSlot, type Slot } from "./slot.ts";

/** A PostgreSQL of this process's own. */
export interface EmbeddedPostgres {
  readonly url: string;
  /** Where the data stays between starts. */
  readonly folder: string;
  /** What its user should know, as sentences. */
  readonly notes: readonly string[];
  /** Resolves to what became of it, whoever ended it. */
  readonly exited: Promise<string>;
  stop(): Promise<void>;
}

/**
 * Starts the PostgreSQL that comes with npm, or the machine's own, durable, on the first of the folders that its user
 * can enter. What an earlier start has left is cleared away first.
 *
 * @throws `Error` when there are no binaries, or no folder will do.
 */
export async function startEmbeddedPostgres(folders: readonly string[]): Promise<EmbeddedPostgres> {
  const native = (await findEmbeddedPostgres()) ?? (await findPostgres());
  if (native === undefined) throw new Error("There is no PostgreSQL here for this platform: set DATABASE_URL");
  let unreachable: unknown;
  for (const folder of folders) {
    const slot = await claimSlot(folder);
    try {
      const started = await startIn(slot, native);
      const elsewhere = unreachable === undefined ? [] : [`PostgreSQL's user cannot enter ${folders[0]}.`];
      return { ...started, notes: [...elsewhere, ...started.notes] };
    } catch (error) {
      await slot.release();
      if (!hasCode(error, "ERR_SLUICE_FOLDER_UNREACHABLE")) throw error;
      // Only what is empty: data of another user may be in there.
      for (const made of [path.join(slot.folder, "data"), slot.folder]) await rmdir(made).catch(() => undefined);
      unreachable = error;
    }
  }
  throw unreachable;
}

async function startIn(slot: Slot, native: string): Promise<EmbeddedPostgres> {
  const dataFolder = path.join(slot.folder, "data");
  const orphan = await stopOrphan(dataFolder);
  const server = await launchPostgres({ native, dataFolder, settings: { max_connections: 100 } });
  const notes = orphan === undefined ? [] : [`Stopped the PostgreSQL that a killed start had left (${orphan}).`];
  if (slot.takenBy.length > 0) {
    notes.push(
      `Another start is running (${slot.takenBy.join(", ")}): this one has its own data, number ${slot.number}.`,
    );
  }
  return {
    url: server.url,
    folder: slot.folder,
    notes,
    exited: server.exited,
    async stop() {
      await server.stop();
      await slot.release();
    },
  };
}
