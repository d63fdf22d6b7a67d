import { execFile } from "node:child_process";
import { chmod, chown, readFile } from "node:fs/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A user that has no rights beyond its own files. */
export interface UnprivilegedUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/**
 * Whom PostgreSQL must run as, because it refuses to run as root. `undefined` when this process is not root's.
 *
 * @throws `Error` when this is root and the machine has neither a user `postgres` nor `nobody`.
 */
export async function unprivilegedUser(): Promise<UnprivilegedUser | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const users = (await readFile("/etc/passwd", "utf8")).split("\n").map((line) => line.split(":"));
  for (const wanted of ["postgres", "nobody"]) {
    const [name, , uid, gid] = users.find((fields) => fields[0] === wanted) ?? [];
    if (name !== undefined) return { name, uid: Number(uid), gid: Number(gid) };
  }
  throw new Error("this is root, and there is no user postgres or nobody to run PostgreSQL as");
}

/** Whether that user may enter a folder. */
export async function canEnter({ uid, gid }: UnprivilegedUser, folder: string): Promise<boolean> {
  return succeeds("/bin/sh", ["-c", 'cd "$1"', "sh", folder], { uid, gid });
}

/** Makes a folder that user's, or where there is none this process's, and nobody else's. */
export async function makePrivate(folder: string, user: UnprivilegedUser | undefined): Promise<void> {
  if (user) await chown(folder, user.uid, user.gid);
  await chmod(folder, 0o700);
}

/** Whether that user may run a program, tried with `--version`. */
export async function canRun({ uid, gid }: UnprivilegedUser, file: string): Promise<boolean> {
  return succeeds(file, ["--version"], { uid, gid });
}

async function succeeds(file: string, args: readonly string[], ids: { uid: number; gid: number }): Promise<boolean> {
  return run(file, args, { ...ids, cwd: "/" }).then(
    () => true,
    () => false,
  );
}
