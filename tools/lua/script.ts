import { createHash } from "node:crypto";

/** A place of KEYS or ARGV that the header documents. */
export interface Documented {
  readonly list: "KEYS" | "ARGV";
  readonly first: number;
  /** `KEYS[2..]`: this one and all after it. */
  readonly open: boolean;
}

/** A Lua file, taken apart. */
export interface LuaScript {
  readonly name: string;
  readonly source: string;
  /** The lines of the comment that begins the file; empty when there is none. */
  readonly header: readonly string[];
  /** What the file does: code without comments, strings emptied. */
  readonly code: string;
  readonly documented: readonly Documented[];
}

/** Takes a Lua file apart. `name` is that of the file, without its extension. */
export function parseLua(name: string, source: string): LuaScript {
  const [, comment] = /^--\[\[\n(.*?)\n\]\]\n/s.exec(source) ?? [];
  const header = comment?.split("\n") ?? [];
  return { name, source, header, code: codeOf(source), documented: header.flatMap(placeIn) };
}

function placeIn(line: string): Documented[] {
  const [, list, first, open] = /^(KEYS|ARGV)\[(\d+)(\.\.)?\]\s+\S/.exec(line) ?? [];
  if (list !== "KEYS" && list !== "ARGV") return [];
  return [{ list, first: Number(first), open: open !== undefined }];
}

// Alternatives in this order: a long comment, a line comment, a quoted string.
const notCode = /--\[\[.*?\]\]|--[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/gs;

function codeOf(source: string): string {
  return source.replaceAll(notCode, (text) => (text.startsWith("--") ? "" : text.startsWith("'") ? "''" : '""'));
}

/** How many keys or arguments the header documents, or undefined when their number is open. */
export function countOf(script: LuaScript, list: "KEYS" | "ARGV"): number | undefined {
  const places = script.documented.filter((place) => place.list === list);
  return places.some(({ open }) => open) ? undefined : places.length;
}

/** What EVALSHA calls the script. */
export function sha1Of(source: string): string {
  return createHash("sha1").update(source).digest("hex");
}
