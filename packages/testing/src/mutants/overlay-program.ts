/**
 * A module that lets a Node process see other texts than those on disk, for `--import`. `SLUICE_PLANTED` names a JSON
 * file with the texts by absolute path. It is text because it must run without a file of its own: what is published is
 * bundled. Whoever reads a whole file sees the text, and so does `import`, where Node itself loads the module.
 */
export const overlayProgram = `
import fs from "node:fs";
import { registerHooks, syncBuiltinESMExports } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";

const { readFile, readFileSync, promises } = fs;
const { readFile: readFileLater } = promises;
const planted = new Map(Object.entries(JSON.parse(readFileSync(process.env.SLUICE_PLANTED, "utf8"))));

function textOf(file) {
  if (file instanceof URL) return file.protocol === "file:" ? planted.get(fileURLToPath(file)) : undefined;
  return typeof file === "string" ? planted.get(path.resolve(file)) : undefined;
}

function encoded(text, options) {
  const encoding = typeof options === "string" ? options : options?.encoding;
  return encoding ? Buffer.from(text).toString(encoding) : Buffer.from(text);
}

function overlay() {
  fs.readFileSync = (file, options) => {
    const text = textOf(file);
    return text === undefined ? readFileSync(file, options) : encoded(text, options);
  };
  fs.readFile = (file, ...rest) => {
    const text = textOf(file);
    if (text === undefined) return readFile(file, ...rest);
    process.nextTick(rest.at(-1), null, encoded(text, rest.length > 1 ? rest[0] : undefined));
  };
  promises.readFile = async (file, options) => {
    const text = textOf(file);
    return text === undefined ? readFileLater(file, options) : encoded(text, options);
  };
  syncBuiltinESMExports();
  registerHooks({
    load(url, context, next) {
      const loaded = next(url, context);
      const text = url.startsWith("file:") ? textOf(new URL(url)) : undefined;
      return text === undefined ? loaded : { ...loaded, source: text };
    },
  });
}

if (planted.size > 0) overlay();
`;
