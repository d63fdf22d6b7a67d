import { hasCode } from "@sluice/core";

import type { Command } from "./command.ts";
import { commands } from "./commands/index.ts";
import { helpOf, overview } from "./help.ts";
import { parse } from "./parse.ts";
import { UsageError } from "./usage-error.ts";

/** What a run of the program may use of the process. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Prints a line for whoever reads the result. */
  readonly out: (text: string) => void;
  /** Prints a line for whoever looks at what went wrong. */
  readonly err: (text: string) => void;
}

/**
 * Runs `sluice` with arguments, as the program does.
 *
 * @param args - What comes after the program's name.
 * @returns the exit code: 0 when it was done, 1 when it failed, 2 when it was not understood and nothing was done.
 */
export async function run(args: readonly string[], surroundings: Surroundings): Promise<number> {
  try {
    await runCommand(args, surroundings);
    return 0;
  } catch (error) {
    surroundings.err(messageOf(error));
    return error instanceof UsageError || hasCode(error, "ERR_SLUICE_INVALID_ARGUMENT") ? 2 : 1;
  }
}

async function runCommand(args: readonly string[], surroundings: Surroundings): Promise<void> {
  if (args.length === 0 || args[0] === "--help" || args[0] === "help") return surroundings.out(overview(commands));
  const command = find(args);
  const rest = args.slice(command.name.split(" ").length);
  if (rest.includes("--help")) return surroundings.out(helpOf(command));
  const typed = parse(command, rest);
  const answer = await command.run(typed, surroundings);
  surroundings.out(typed.has("json") ? JSON.stringify(answer.json) : answer.text);
}

function find(args: readonly string[]): Command {
  const found = commands.find(({ name }) => name.split(" ").every((word, place) => args[place] === word));
  if (found) return found;
  throw new UsageError(`There is no command "${args.slice(0, 2).join(" ").slice(0, 80)}". Type sluice --help.`);
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return "It failed for no reason that can be told.";
  return "code" in error && typeof error.code === "string" ? `${error.code}: ${error.message}` : error.message;
}
