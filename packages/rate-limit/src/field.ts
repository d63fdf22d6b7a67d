import type { Limit, LimitKind } from "./limit.ts";

/** A limit as a policy has it: with its name, and with the field that holds its state in the store. */
export interface NamedLimit extends Limit {
  readonly name: string;
  /** Holds kind, version, name and size, so that a changed limit never reads numbers that mean something else. */
  readonly field: string;
}

const letters: Readonly<Record<LimitKind, string>> = {
  window: "w",
  "strict-window": "s",
  "fixed-window": "f",
  "sliding-log": "l",
  bucket: "b",
  concurrency: "c",
};
const kinds = new Map(Object.entries(letters).map(([kind, letter]) => [letter, kind as LimitKind]));

/** The limit with its name and field, such as `w1:browse@60000`. */
export function named(limit: Limit, name: string): NamedLimit {
  const parts = limit.kind === "strict-window" ? `/${limit.parts}` : "";
  return { ...limit, name, field: `${letters[limit.kind]}1:${name}@${limit.perMs}${parts}` };
}

/** What a field says about its limit: all but its size and its refill. `undefined` where it is none of this version. */
export function parseField(field: string): NamedLimit | undefined {
  const [, letter = "", name = "", perMs, parts = 1] = /^(\w)1:(.+)@(\d+)(?:\/(\d+))?$/.exec(field) ?? [];
  const kind = kinds.get(letter);
  if (kind === undefined) return undefined;
  return { kind, name, perMs: Number(perMs), parts: Number(parts), limit: 0, refill: 0, field };
}
