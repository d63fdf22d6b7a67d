import { hasCode } from "@sluice/core";

import type { Answer, Command } from "./command.ts";
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
 * @returns the exit code: 0 when it was done, 1 when it failed or found what must not be, 2 when it was not understood and nothing was done.
 */
export async function run(args: readonly string[], surroundings: Surroundings): Promise<number> {
  try {
    return await runCommand(args, surroundings);
  } catch (error) {
    surroundings.err(messageOf(error));
    return error instanceof UsageError || hasCode(error, "ERR_SLUICE_INVALID_ARGUMENT") ? 2 : 1;
  }
}

async function runCommand(args: readonly string[], surroundings: Surroundings): Promise<number> {
  const { failed, text } = await answerTo(args, surroundings);
  surroundings.out(text);
  return failed ? 1 : 0;
}

async function answerTo(args: readonly string[], surroundings: Surroundings): Promise<Pick<Answer, "text" | "failed">> {
  if (args.length === 0 || args[0] === "--help" || args[0] === "help") return { text: overview(commands) };
  const command = find(args);
  const rest = args.slice(command.name.split(" ").length);
  if (rest.includes("--help")) return { text: helpOf(command) };
  const typed = parse(command, rest);
  const answer = await command.run(typed, surroundings);
  return typed.has("json") ? { ...answer, text: JSON.stringify(answer.json) } : answer;
}

function find(args: readonly string[]): Command {
  const found = commands.find(({ name }) => name.split(" ").every((word, place) => args[place] === word));
  if (found) return found;
  throw new UsageError(`There is no command "${args.slice(0, 2).join(" ").slice(0, 80)}". Type sluice --help.`);
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return "It failed for no reason that can be told.";
  const why = reasonOf(error);
  const message = why === undefined ? error.message : `${error.message} (${why})`;
  return "code" in error && typeof error.code === "string" ? `${error.code}: ${message}` : message;
}

/** What is beneath an error of ours: that of a driver or a server, which name hosts and tables, never passwords. */
function reasonOf({ message, cause }: Error): string | undefined {
  let [reason, at] = [undefined as string | undefined, cause];
  for (; at instanceof Error; at = at.cause) if (at.message !== "") reason = at.message;
  return reason !== undefined && !message.includes(reason) ? reason : undefined;
}
