import { describeValue, SluiceError } from "@sluice/core";

/** A load took longer than its scope's `loadTimeout`. Its signal was aborted, and nothing was stored. */
export class LoadTimeoutError extends SluiceError {
  override readonly code = "ERR_SLUICE_CACHE_LOAD_TIMEOUT";
  /** The scope of the load. */
  readonly scope: string;
  /** How long the load was given. */
  readonly timeoutMs: number;

  constructor(scope: string, timeoutMs: number) {
    super(`A load of "${scope}" gave nothing within ${timeoutMs} ms. Heed its signal, or raise loadTimeout.`);
    this.scope = scope;
    this.timeoutMs = timeoutMs;
  }
}

/** So many loads of the scope are underway and waiting that this one was not begun. */
export class LoadsOverloadedError extends SluiceError {
  override readonly code = "ERR_SLUICE_CACHE_OVERLOADED";
  /** The scope of the load. */
  readonly scope: string;
  /** Loads that wait for their turn. */
  readonly waiting: number;

  constructor(scope: string, waiting: number) {
    super(`${waiting} loads of "${scope}" wait for their turn. Shed the request, or raise maxLoads or maxWaiting.`);
    this.scope = scope;
    this.waiting = waiting;
  }
}

/** A load reads what it is loading, itself or by way of others: it would wait for itself. */
export class LoadCycleError extends SluiceError {
  override readonly code = "ERR_SLUICE_CACHE_LOAD_CYCLE";
  /** The scope of what was asked for last. */
  readonly scope: string;

  constructor(scope: string) {
    super(`A load of "${scope}" asks, itself or by way of others, for what it is to load. Break the circle.`);
    this.scope = scope;
  }
}

/** A load returned what the scope's codec cannot give back as it was. */
export class CacheValueError extends SluiceError {
  override readonly code = "ERR_SLUICE_CACHE_VALUE";
  /** The scope of the load. */
  readonly scope: string;

  /** @param problem - Completes the sentence, and shows nothing of the value. */
  constructor(scope: string, problem: string) {
    super(`A load of "${scope}" returned a value that cannot be stored: ${problem}. Return plain data.`);
    this.scope = scope;
  }
}

/** The store could not be asked, and the cache was told to refuse rather than to load. */
export class CacheUnavailableError extends SluiceError {
  override readonly code = "ERR_SLUICE_CACHE_UNAVAILABLE";
  /** The scope of the read. */
  readonly scope: string;

  constructor(scope: string, options: ErrorOptions) {
    super(`The store of "${scope}" does not answer, and onStoreError is "deny".`, options);
    this.scope = scope;
  }
}

/** An invalidation did not reach the store. This process keeps to it and repeats it; others may serve older values. */
export class InvalidationQueuedError extends SluiceError {
  override readonly code = "ERR_SLUICE_CACHE_INVALIDATION_QUEUED";
  /** How many targets have been applied. */
  readonly applied: number;
  /** How many are being repeated. */
  readonly queued: number;

  constructor(applied: number, queued: number) {
    super(`${queued} of ${applied + queued} invalidations did not reach the store and are being repeated.`);
    this.applied = applied;
    this.queued = queued;
  }
}

/** The cache was used after it was closed. */
export class CacheClosedError extends SluiceError {
  override readonly code = "ERR_SLUICE_CACHE_CLOSED";

  /** @param use - What was asked of it. */
  constructor(use: string) {
    super(`${describeValue(use)} was asked of a cache that was closed.`);
  }
}
