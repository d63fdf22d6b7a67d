import { access, constants } from "node:fs/promises";
import path from "node:path";

import { describe } from "vitest";

const folders = [...(process.env["PATH"] ?? "").split(path.delimiter), "/usr/sbin", "/usr/local/sbin"];

/** A program on `PATH` or in the folders of system programs, or `undefined`. */
export async function findProgram(name: string): Promise<string | undefined> {
  for (const folder of folders.filter((each) => path.isAbsolute(each))) {
    const file = path.join(folder, name);
    const isThere = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return file;
  }
  return undefined;
}

const declareSuite: (title: string, options: object, suite: () => void) => void = describe;

/** A suite that is left out, and reported as such, where a program is missing. */
export function describeWithProgram(
  name: string,
  file: string | undefined,
  [title, suite]: [string, () => void],
): void {
  const leftOut = { skip: true, meta: { sluiceLeftOut: `needs the program ${name}, which is not installed` } };
  declareSuite(title, file === undefined ? leftOut : {}, suite);
}
