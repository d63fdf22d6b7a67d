import { existsSync, readFileSync } from "node:fs";
import path from "node:path";

/** What a package's README shows before a reader scrolls. */
export interface Readme {
  readonly title: string;
  readonly sentence: string;
  readonly program: string;
  /** The first column of the failure table, Markdown marks removed. */
  readonly failures: readonly string[];
  /** Lines up to the end of the failure table. */
  readonly firstScreenLines: number;
}

/** Reads the first screen of the README in `folder`. Parts that are missing are empty. */
export function readmeOf(folder: string): Readme {
  const file = path.join(folder, "README.md");
  const text = existsSync(file) ? readFileSync(file, "utf8") : "";
  const lines = text.split("\n");
  const table = lines.findIndex((line) => /^\|\s*when\s*\|/i.test(line));
  const tableLength = table < 0 ? 0 : lines.slice(table).findIndex((line) => !line.startsWith("|"));
  return {
    title: /^# (.+)$/m.exec(text)?.[1] ?? "",
    sentence: lines.slice(1).find((line) => line.trim() !== "") ?? "",
    program: /```ts\n(.*?)```/s.exec(text)?.[1] ?? "",
    failures: lines.slice(table + 2, table + tableLength).map((row) => plain(row.split("|")[1] ?? "")),
    firstScreenLines: table + tableLength,
  };
}

function plain(cell: string): string {
  return cell.replaceAll(/[`*]/g, "").trim();
}
