import { InvalidArgumentError } from "@sluice/core";

import type { Argument, Script } from "./port.ts";

/**
 * What a client can send as it is. Clients differ in what they make of anything else: one sends `undefined` as nothing,
 * another as a word, and both throw at `null`.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` for anything else.
 * @internal
 */
export function checkedArgument(value: Argument): Argument {
  if (typeof value === "string" || Number.isFinite(value) || ArrayBuffer.isView(value)) return value;
  throw new InvalidArgumentError("args", "strings, finite numbers and bytes", value);
}

/**
 * Refuses keys and arguments that are no lists, keys that are no text, and another number of keys than the script takes.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` naming which.
 * @internal
 */
export function checkLists({ name, keys: count }: Script, keys: readonly string[], args: readonly Argument[]): void {
  if (!Array.isArray(keys)) throw new InvalidArgumentError("keys", "a list of strings", keys);
  checkArgumentList(args);
  if (count !== undefined && keys.length !== count) {
    throw new InvalidArgumentError("keys", `${count} keys, as ${name} takes`, keys.length);
  }
  for (const key of keys) checkedKey(key);
}

/**
 * A key, which is text.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` for anything else.
 * @internal
 */
export function checkedKey(key: string): string {
  if (typeof key === "string") return key;
  throw new InvalidArgumentError("keys", "strings", key);
}

/**
 * Refuses arguments that are no list.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT`
 * @internal
 */
export function checkArgumentList(args: readonly Argument[]): void {
  if (!Array.isArray(args)) throw new InvalidArgumentError("args", "a list", args);
}
