import { createHash } from "node:crypto";
import { homedir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const project = path.resolve(fileURLToPath(new URL("../../../../", import.meta.url)));

/**
 * Where data may be kept, best first: the folder that was asked for, or the project's own, the user's state folder, and
 * a folder that every user can enter. PostgreSQL never runs as root, and another user may not enter root's home.
 */
export function dataFolders(asked: string | undefined, environment: NodeJS.ProcessEnv): readonly string[] {
  if (asked !== undefined) return [path.resolve(asked)];
  const state = environment["XDG_STATE_HOME"] || path.join(homedir(), ".local", "state");
  // Two checkouts of one user do not share data.
  const name = `marketplace-${createHash("sha256").update(project).digest("hex").slice(0, 8)}`;
  return [
    path.join(project, ".sluice", "marketplace"),
    path.join(state, "sluice", name),
    path.join("/var/lib/sluice", name),
  ];
}
