import { InvalidArgumentError, systemClock, type Clock } from "@sluice/core";

import { errorReply } from "./error/error-reply.ts";
import type { HttpReply } from "./reply.ts";
import type { HttpRequest } from "./request.ts";

/** Makes the reply that tells a client of an error. It must not throw. */
export type RenderError = (error: unknown, request: HttpRequest) => HttpReply;

/** What an application may set of the exchanges of an adapter. */
export interface ExchangeOptions {
  /** The largest body of a reply that is held back for a guard. Default 1 MiB. Unit: bytes. */
  readonly maxHeldBytes?: number;
  /**
   * How long a held reply waits for {@link PassVerdict.settle}, before it becomes an error. Default 10,000. Guards
   * have shorter deadlines of their own; this one is for those that hang. Unit: ms.
   */
  readonly settleDeadlineMs?: number;
  /** What becomes of an error of a guard. Default {@link errorReply}. */
  readonly renderError?: RenderError;
  /** Default {@link systemClock}. */
  readonly clock?: Clock;
}

/** Checked options, made once per adapter for all its {@link Exchange}s. */
export type ExchangeSettings = Required<ExchangeOptions>;

const longestDeadlineMs = 600_000;

/**
 * Checks options, and fills in the defaults.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` unless `maxHeldBytes` is a whole number from 0 and `settleDeadlineMs` is from
 *   1 to 600,000.
 */
export function exchangeSettings(options: ExchangeOptions = {}): ExchangeSettings {
  const { maxHeldBytes = 1024 * 1024, settleDeadlineMs = 10_000 } = options;
  const { renderError = (error, request) => errorReply(error, request), clock = systemClock } = options;
  if (!(Number.isSafeInteger(maxHeldBytes) && maxHeldBytes >= 0)) {
    throw new InvalidArgumentError("maxHeldBytes", "a whole number of bytes from 0", maxHeldBytes);
  }
  if (!(settleDeadlineMs >= 1 && settleDeadlineMs <= longestDeadlineMs)) {
    throw new InvalidArgumentError("settleDeadlineMs", `from 1 to ${longestDeadlineMs}`, settleDeadlineMs);
  }
  return { maxHeldBytes, settleDeadlineMs, renderError, clock };
}

/** The reply for an error, whatever the application's renderer does. */
export function renderSafely({ renderError }: ExchangeSettings, error: unknown, request: HttpRequest): HttpReply {
  try {
    return renderError(error, request);
  } catch {
    return errorReply(error, request);
  }
}
