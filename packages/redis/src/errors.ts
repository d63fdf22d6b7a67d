import { describeValue, SluiceError } from "@sluice/core";

import type { Reply } from "./port.ts";

/** Why a call was certainly not applied. */
export type UnavailableReason =
  | "breaker-open"
  | "cancelled"
  | "closed"
  | "deadline"
  | "not-connected"
  | "overloaded"
  | "server-state";

/** Why the outcome of a call is not known. */
export type UnknownReason = "cancelled" | "closed" | "connection-lost" | "deadline";

/** The call has certainly had no effect: it was not sent, the server refused to run it, or it only reads. */
export class RedisUnavailableError extends SluiceError {
  override readonly code = "ERR_SLUICE_REDIS_UNAVAILABLE";
  /** Whether the call had an effect: certainly not. */
  readonly applied = "no";
  /** What stood in the way. */
  readonly reason: UnavailableReason;
  /** What is known about the cause. */
  readonly detail: string;

  /** @param detail - What is known about the cause, without secrets. */
  constructor(reason: UnavailableReason, detail: string) {
    super(`Redis did not take the call (${reason}): ${detail}`);
    this.reason = reason;
    this.detail = detail;
  }
}

/** The call was sent and no answer came in time: it may have run, or may still run. */
export class RedisUnknownError extends SluiceError {
  override readonly code = "ERR_SLUICE_REDIS_UNKNOWN";
  /** Whether the call had an effect: nobody here knows. */
  readonly applied = "unknown";
  /** What ended the wait. */
  readonly reason: UnknownReason;
  /** What is known about the cause. */
  readonly detail: string;
  /** Settles if the answer comes after all; absent when it cannot. Never reported as an unhandled rejection. */
  declare readonly late?: Promise<Reply>;

  /**
   * @param detail - What is known about the cause, without secrets.
   * @param late - Settles if the answer comes after all.
   */
  constructor(reason: UnknownReason, detail: string, late?: Promise<Reply>) {
    super(`Redis took the call and did not answer (${reason}): ${detail}`);
    this.reason = reason;
    this.detail = detail;
    // Not enumerable: a log of the error need not show a promise.
    if (late) Object.defineProperty(this, "late", { value: late });
  }
}

/** The server answered with an error. A script that failed midway keeps what it wrote before. */
export class RedisReplyError extends SluiceError {
  override readonly code = "ERR_SLUICE_REDIS_REPLY";
  /** The server's error code, such as `WRONGTYPE`. */
  readonly kind: string;
  /** The server's error, whole. */
  readonly reply: string;

  /** @param reply - The server's error, such as `"WRONGTYPE Operation against …"`. */
  constructor(reply: string) {
    super(`Redis answered: ${reply}`);
    this.reply = reply;
    this.kind = /^[A-Z]+/.exec(reply)?.[0] ?? "ERR";
  }
}

/** The keys of one call lie in several hash slots, which a Redis Cluster cannot serve. Nothing was sent. */
export class RedisCrossSlotError extends SluiceError {
  override readonly code = "ERR_SLUICE_REDIS_CROSS_SLOT";
  /** Whether the call had an effect: certainly not. */
  readonly applied = "no";

  /** @param keys - Two keys of different slots. */
  constructor(keys: readonly [string, string]) {
    const [first, second] = keys.map(describeValue);
    super(`The keys ${first} and ${second} lie in different hash slots. Give them one hash tag, such as {tag}.`);
  }
}

/** A command that {@link Redis.read} does not know as a read. Nothing was sent. */
export class RedisNotAReadError extends SluiceError {
  override readonly code = "ERR_SLUICE_REDIS_NOT_A_READ";
  /** Whether the call had an effect: certainly not. */
  readonly applied = "no";

  /** @param command - The command, as the caller spelled it. */
  constructor(command: unknown) {
    super(`read() takes the commands of ReadCommand only, got ${describeValue(command)}. Put what writes in a script.`);
  }
}

/**
 * The same news for one more caller: callers of a batch must not share an error, nor the late answer of the batch.
 *
 * @internal
 */
export function ownError(error: Error): Error {
  if (error instanceof RedisUnavailableError) return new RedisUnavailableError(error.reason, error.detail);
  if (error instanceof RedisUnknownError) return new RedisUnknownError(error.reason, error.detail);
  return error instanceof RedisReplyError ? new RedisReplyError(error.reply) : error;
}
