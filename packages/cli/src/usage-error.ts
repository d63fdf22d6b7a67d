import { SluiceError } from "@sluice/core";

/** What was typed is not a command, or not all of one. Nothing was done. The message says what to type instead. */
export class UsageError extends SluiceError {
  override readonly code = "ERR_SLUICE_CLI_USAGE";
}
