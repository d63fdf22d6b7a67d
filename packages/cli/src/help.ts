import type { Command } from "./command.ts";

/** What the program can do, a line each. */
export function overview(commands: readonly Command[]): string {
  const lines = commands.map((command) => [usage(command), command.help] as const);
  const width = Math.max(...lines.map(([left]) => left.length));
  return ["Usage: sluice <command> [options]", "", ...lines.map(([left, help]) => `  ${left.padEnd(width)}  ${help}`)]
    .concat("", "sluice <command> --help tells the options of a command.")
    .join("\n");
}

/** All of one command. */
export function helpOf(command: Command): string {
  const options = Object.entries(command.options).map(
    ([name, { value, help }]) => [`--${name}${value === undefined ? "" : ` <${value}>`}`, help] as const,
  );
  const width = Math.max(...options.map(([left]) => left.length));
  return [`Usage: sluice ${usage(command)} [options]`, "", command.help, ""]
    .concat(options.map(([left, help]) => `  ${left.padEnd(width)}  ${help}`))
    .join("\n");
}

function usage({ name, operands }: Command): string {
  return [name, ...operands].join(" ");
}
