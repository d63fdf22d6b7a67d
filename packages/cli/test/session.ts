import { run } from "../src/index.ts";

/** What a run of the program printed, and how it ended. */
export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs the program in this process, with these variables and no others. */
export async function sluice(line: string, env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const [out, err]: [string[], string[]] = [[], []];
  const words = line.split(" ").filter((word) => word !== "");
  const code = await run(words, { env, out: (text) => out.push(text), err: (text) => err.push(text) });
  return { code, out: out.join("\n"), err: err.join("\n") };
}
