import { SluiceError } from "@sluice/core";

/** Why a lock is busy. */
export type BusyReason =
  /** Somebody else holds one of the keys, in this process or in another. */
  | "held"
  /** Too many callers of this process wait already. */
  | "queue-full"
  /** A transaction that an earlier holder guards with its fencing token is still open. */
  | "fence";

/** The lock was not free in time. Nothing is held. */
export class LockBusyError extends SluiceError {
  override readonly code = "ERR_SLUICE_LOCK_BUSY";
  readonly keys: readonly string[];
  readonly waitedMs: number;
  readonly reason: BusyReason;

  constructor(keys: readonly string[], waitedMs: number, reason: BusyReason) {
    super(`The lock on ${named(keys)} is busy (${reason}), waited ${Math.round(waitedMs)} ms. Nothing is held.`);
    this.keys = keys;
    this.waitedMs = waitedMs;
    this.reason = reason;
  }
}

/** Why a lock was lost. */
export type LostReason =
  /** Its lease ended before it could be extended: the store was away, or this process stood still. */
  | "expired"
  /** The store says that it is somebody else's, or nobody's. */
  | "taken";

/** The lock was held and is not any more: somebody else may hold it. */
export class LockLostError extends SluiceError {
  override readonly code = "ERR_SLUICE_LOCK_LOST";
  readonly keys: readonly string[];
  readonly heldForMs: number;
  readonly reason: LostReason;

  constructor(keys: readonly string[], heldForMs: number, reason: LostReason) {
    super(`Lost the lock on ${named(keys)} after ${Math.round(heldForMs)} ms (${reason}). Stop writing.`);
    this.keys = keys;
    this.heldForMs = heldForMs;
    this.reason = reason;
  }
}

/** The store could not be asked. What it may have granted without our knowing is let go of, at the latest by its lease. */
export class LockUnavailableError extends SluiceError {
  override readonly code = "ERR_SLUICE_LOCK_UNAVAILABLE";
  readonly keys: readonly string[];

  /** @param options - With the store's own error as `cause`. */
  constructor(keys: readonly string[], options: ErrorOptions) {
    super(`The lock on ${named(keys)} could not be asked for: the store is unavailable. Try again later.`, options);
    this.keys = keys;
  }
}

/** A later holder has a newer fencing token: what was about to be written must not be. */
export class LockFencedOutError extends SluiceError {
  override readonly code = "ERR_SLUICE_LOCK_FENCED_OUT";
  readonly keys: readonly string[];

  constructor(keys: readonly string[]) {
    super(`The lock on ${named(keys)} has a newer holder. Roll back: nothing of this transaction may be applied.`);
    this.keys = keys;
  }
}

const shownKeys = 3;

function named(keys: readonly string[]): string {
  const shown = keys.slice(0, shownKeys).map((key) => JSON.stringify(key.slice(0, 80)));
  return keys.length > shownKeys ? `${shown.join(", ")} and ${keys.length - shownKeys} more` : shown.join(", ");
}
