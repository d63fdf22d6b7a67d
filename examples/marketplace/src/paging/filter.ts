/** Conditions and their parameters. Values never become SQL text. */
export interface Filter {
  readonly params: readonly unknown[];
  /** The placeholder of a value. */
  param(value: unknown): string;
  /** Adds a condition that every row must meet. */
  add(condition: string): void;
  /** All conditions, for `where`. */
  where(): string;
  /** A filter of another part of the same statement: no conditions yet, the same parameters. */
  beside(): Filter;
}

/** A filter with the conditions given. */
export function createFilter(...conditions: readonly string[]): Filter {
  return filterOver([], conditions);
}

function filterOver(params: unknown[], conditions: readonly string[]): Filter {
  const all = [...conditions];
  return {
    params,
    param: (value) => `$${params.push(value)}`,
    add: (condition) => void all.push(condition),
    where: () => (all.length === 0 ? "true" : all.join(" and ")),
    beside: () => filterOver(params, []),
  };
}
