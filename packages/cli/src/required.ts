import type { Typed } from "./command.ts";
import { UsageError } from "./usage-error.ts";

/**
 * The value of an option that must be there.
 *
 * @throws `ERR_SLUICE_CLI_USAGE` when it is not, or is empty.
 */
export function required(typed: Typed, option: string): string {
  const value = typed.text(option);
  if (value === undefined || value === "") throw new UsageError(`--${option} is missing.`);
  return value;
}
