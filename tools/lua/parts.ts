import path from "node:path";

/** The text of a Lua file, or `undefined` when there is none. */
export type ReadLua = (file: string) => string | undefined;

/** A script as Redis gets it. */
export interface Assembled {
  readonly source: string;
  /** The files that were put in, in the order of the script. */
  readonly parts: readonly string[];
  /** Sentences, by the file that each is about. */
  readonly problems: readonly { readonly file: string; readonly problem: string }[];
}

const include = /^--@include (\S+)$/;

/**
 * Puts the parts of a script where its lines `--@include folder/part.lua` stand, by their paths from the file that
 * says so. A part begins with a line `--@part name: …`, may include parts of its own, and is put in once.
 *
 * @param file - The script, as `read` knows it.
 */
export function assemble(file: string, read: ReadLua): Assembled {
  const parts: string[] = [];
  const problems: { file: string; problem: string }[] = [];

  function textOf(text: string, trail: readonly string[]): string {
    return text.replaceAll(/^.*--@include\b.*$/gm, (line) => textFor(line, trail));
  }

  function textFor(line: string, trail: readonly string[]): string {
    const from = trail.at(-1) ?? file;
    const [, wanted] = include.exec(line) ?? [];
    const part = path.join(path.dirname(from), wanted ?? "");
    const text = wanted === undefined ? undefined : read(part);
    const problem = problemOf({ wanted, part, text, trail, parts });
    if (problem === undefined && text !== undefined) {
      parts.push(part);
      return textOf(text.trimEnd(), [...trail, part]);
    }
    problems.push({ file: from, problem: `"${line.trim()}" ${problem}` });
    return line;
  }

  const source = textOf(read(file) ?? "", [file]);
  return { source, parts, problems };
}

interface Wanted {
  readonly wanted: string | undefined;
  readonly part: string;
  readonly text: string | undefined;
  readonly trail: readonly string[];
  readonly parts: readonly string[];
}

function problemOf({ wanted, part, text, trail, parts }: Wanted): string | undefined {
  if (wanted === undefined) return "is not alone on its line with one path";
  if (text === undefined) return "names no file";
  if (trail.includes(part)) {
    const circle = [...trail.slice(trail.indexOf(part)), part];
    return `includes itself: ${circle.map((each) => path.basename(each)).join(" > ")}`;
  }
  if (!isPart(text)) return 'names a script of its own: a part begins with "--@part name: "';
  return parts.includes(part) ? "puts in again what is there already" : undefined;
}

/** Whether a Lua file is a part of scripts, and none itself. */
export function isPart(text: string): boolean {
  return text.startsWith("--@part ");
}
