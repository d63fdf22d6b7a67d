import { accessSync, constants } from "node:fs";
import path from "node:path";

// Where packages put servers that are not for every user's PATH.
const usualFolders = ["/opt/homebrew/bin", "/usr/local/bin", "/usr/bin", "/usr/local/sbin", "/usr/sbin"];

/**
 * The first of some programs on `PATH` or in the usual folders. Synchronous, because suites are declared so.
 *
 * @param names - Such as `"pgbouncer"`, or `"redis-server", "valkey-server"`: either will do.
 * @returns its path, or `undefined` where none is installed.
 */
export function findProgram(...names: readonly string[]): string | undefined {
  const folders = [...pathFolders(), ...usualFolders];
  return folders.flatMap((folder) => names.map((name) => path.join(folder, name))).find(isExecutable);
}

/** The absolute folders of `PATH`. */
export function pathFolders(): string[] {
  return (process.env["PATH"] ?? "").split(path.delimiter).filter((folder) => path.isAbsolute(folder));
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
