import type { Setting } from "./chooser.ts";

/** The effective values as lines, aligned: name, value, where it came from. */
export function printConfig(settings: readonly Setting[]): string {
  const nameWidth = width(settings.map(({ name }) => name));
  const valueWidth = width(settings.map(({ shown }) => shown));
  return settings
    .map(({ name, shown, source }) => `${name.padEnd(nameWidth)}  ${shown.padEnd(valueWidth)}  ${source}`)
    .join("\n");
}

function width(texts: readonly string[]): number {
  return Math.max(...texts.map(({ length }) => length));
}
