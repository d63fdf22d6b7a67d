import type { Surroundings } from "./run.ts";

/** An option of a command, as `--name value`, or `--name` alone for a switch. */
export interface CommandOption {
  readonly type: "string" | "boolean";
  readonly help: string;
  /** What the value is called in the help. */
  readonly value?: string;
}

/** What was typed after a command's name. */
export interface Typed {
  readonly operands: readonly string[];
  /** The value of an option that was given. */
  text(option: string): string | undefined;
  /** Whether a switch was given. */
  has(option: string): boolean;
}

/** One thing that the program does. */
export interface Command {
  /** As it is typed: `rate-limit inspect`. */
  readonly name: string;
  /** What comes after the name, such as `<subject>`: each must be there. */
  readonly operands: readonly string[];
  readonly help: string;
  readonly options: Readonly<Record<string, CommandOption>>;
  /** @returns what is printed: as JSON with `--json`, and otherwise in the words of `text`. */
  run(typed: Typed, surroundings: Surroundings): Promise<Answer>;
}

/** What a command has to say. */
export interface Answer {
  readonly json: unknown;
  readonly text: string;
  /** The answer is not the one that was hoped for: it is printed as ever, and the exit code is 1. */
  readonly failed?: boolean;
}
