import { SluiceError } from "./errors.ts";

/** Why a text was refused. */
export type JsonInvalidReason = "syntax" | "duplicate" | "number" | "depth" | "size";

/** A JSON text that {@link parseJson} refuses. */
export class JsonInvalidError extends SluiceError {
  override readonly code = "ERR_SLUICE_JSON_INVALID";
  /**
   * `"syntax"`: not JSON. `"duplicate"`: an object names a member twice. `"number"`: an integer that a double cannot
   * hold exactly, or a number that overflows or vanishes. `"depth"` and `"size"`: over the limits.
   */
  readonly reason: JsonInvalidReason;
  /** Where the refused part begins, in characters (UTF-16 code units) from the start of the text. */
  readonly offset: number;

  /** @param problem - A part of a sentence that shows at most a short piece of the text. */
  constructor(reason: JsonInvalidReason, offset: number, problem: string) {
    super(`JSON text is refused at offset ${offset}: ${problem}`);
    this.reason = reason;
    this.offset = offset;
  }
}
