import type { ReadOutcome } from "./events.ts";
import type { Loader } from "./load.ts";

/** A value, and where it came from. */
export interface Served {
  readonly value: unknown;
  readonly outcome: ReadOutcome;
  /** When it was stored, in ms of the store's clock; when it was loaded, if it was not. */
  readonly storedMs: number;
}

/** What a caller asks for besides the key. */
export interface ReadRequest {
  readonly loader: Loader<unknown>;
  /** Whether what is stored does not count. */
  readonly fresh: boolean;
}
