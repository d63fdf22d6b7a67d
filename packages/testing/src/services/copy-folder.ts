import { cp } from "node:fs/promises";

import type { Keeper } from "./keeper.ts";
import { runToEnd } from "./start-server.ts";
import type { UnprivilegedUser } from "./unprivileged.ts";

/** What is copied, and who does it. */
export interface FolderCopy {
  readonly from: string;
  /** A folder that is there. */
  readonly to: string;
  /** Who can read the one and write the other. Default: the user of this process. */
  readonly user?: UnprivilegedUser | undefined;
}

/**
 * Copies what is in a folder to another one.
 *
 * @throws `ERR_SLUICE_SERVER_START` with the last words of `cp`.
 */
export async function copyFolder(keeper: Keeper, { from, to, user }: FolderCopy): Promise<void> {
  if (process.platform === "win32") return cp(from, to, { recursive: true });
  // It copies a thousand small files several times as fast as Node does.
  return runToEnd(keeper, "cp", { file: "cp", args: ["-a", `${from}/.`, to], cwd: to, uid: user?.uid, gid: user?.gid });
}
