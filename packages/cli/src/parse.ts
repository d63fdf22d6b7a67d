import { parseArgs } from "node:util";

import type { Command, Typed } from "./command.ts";
import { UsageError } from "./usage-error.ts";

/** Reads what was typed after a command's name. */
export function parse(command: Command, args: readonly string[]): Typed {
  const { values, positionals } = parsed(command, args);
  if (positionals.length !== command.operands.length) {
    const wanted = command.operands.join(" ") || "nothing";
    throw new UsageError(`sluice ${command.name} takes ${wanted}, got ${positionals.length} words.`);
  }
  return {
    operands: positionals,
    text(option) {
      const value = values[option];
      return typeof value === "string" ? value : undefined;
    },
    has: (option) => values[option] === true,
  };
}

function parsed(command: Command, args: readonly string[]) {
  const options = Object.fromEntries(Object.entries(command.options).map(([name, { type }]) => [name, { type }]));
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    // Node's own sentence names the option, and no value.
    throw new UsageError(error instanceof Error ? error.message : "The options cannot be read.");
  }
}
