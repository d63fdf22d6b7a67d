import { mkdir } from "node:fs/promises";
import path from "node:path";

import { claim, type OwnerFile } from "./owner-file.ts";

/** A numbered folder with the data of one running marketplace. */
export interface Slot extends OwnerFile {
  readonly number: number;
  readonly folder: string;
  /** Who has the slots before this one. */
  readonly takenBy: readonly number[];
}

const mostSlots = 16;

/**
 * The first slot under `folder` that no running process has.
 *
 * @throws `Error` when 16 processes have one each.
 */
export async function claimSlot(folder: string): Promise<Slot> {
  const takenBy: number[] = [];
  for (let number = 1; number <= mostSlots; number += 1) {
    const own = path.join(folder, String(number));
    await mkdir(own, { recursive: true });
    const claimed = await claim(path.join(own, "owner.json"));
    if (!("by" in claimed)) return { number, folder: own, takenBy, release: () => claimed.release() };
    takenBy.push(claimed.by.pid);
  }
  throw new Error(`All ${mostSlots} folders under ${folder} are in use: stop some of ${takenBy.join(", ")}`);
}
