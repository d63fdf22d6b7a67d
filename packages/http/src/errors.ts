import { SluiceError } from "@sluice/core";

/** {@link HttpRequest.body} was asked for on a route where no guard needs it, so nothing was kept. */
export class BodyNotKeptError extends SluiceError {
  override readonly code = "ERR_SLUICE_HTTP_BODY_NOT_KEPT";

  constructor() {
    super("The body was not kept: set needs.requestBody on the guard, or requestBody on the handler, that reads it.");
  }
}

/** {@link HttpRequest.body} was asked for after something else had read it, so its bytes are gone. */
export class BodyConsumedError extends SluiceError {
  override readonly code = "ERR_SLUICE_HTTP_BODY_CONSUMED";

  constructor() {
    super("The body has been read before, and its bytes are gone: mount the guard before what parses bodies.");
  }
}

/** A request's body is above the limit. On the wire it is a 413. */
export class BodyTooLargeError extends SluiceError {
  override readonly code = "ERR_SLUICE_HTTP_BODY_TOO_LARGE";
  /** Unit: bytes. */
  readonly maxBytes: number;

  /** @param maxBytes - The limit, in bytes. */
  constructor(maxBytes: number) {
    super(
      `The body is larger than ${maxBytes} bytes. Raise the adapter's limit where larger bodies are meant to come.`,
    );
    this.maxBytes = maxBytes;
  }
}

/** {@link PassVerdict.settle} took too long while its reply was held. It may still be running. */
export class SettleTimeoutError extends SluiceError {
  override readonly code = "ERR_SLUICE_HTTP_SETTLE_TIMEOUT";
  /** The guard that hangs. */
  readonly guard: string;

  /**
   * @param guard - The guard that hangs.
   * @param deadlineMs - How long it was given.
   */
  constructor(guard: string, deadlineMs: number) {
    super(`The guard ${guard} did not settle within ${deadlineMs} ms. Give what it waits for a shorter deadline.`);
    this.guard = guard;
  }
}
