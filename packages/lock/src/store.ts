/** What is to be locked, by whom, for how long. */
export interface LockRequest {
  /** Distinct, sorted by UTF-16 code unit. */
  readonly keys: readonly string[];
  /** Names one acquisition, and no other one ever. */
  readonly owner: string;
  /** How long the locks hold without being extended, in ms. */
  readonly leaseMs: number;
}

/** Who lets go of what. */
export type LockOwner = Omit<LockRequest, "leaseMs">;

/** Whether all keys are now the owner's. */
export type LockAnswer =
  | { readonly granted: true }
  /** None is. `freeInMs`: until what is in the way ends by itself, where the store knows. */
  | { readonly granted: false; readonly freeInMs?: number };

/** A live interest in keys that others hold. */
export interface LockWatch {
  /** Ends the interest. Harmless when it has ended. */
  close(): void;
}

/**
 * Where locks live. Each method is one atomic step and may be sent twice: an owner that asks again for what it has
 * gets it, and letting go of what is not one's own does nothing.
 */
export interface LockStore {
  /** Takes all keys or none. A key whose lease has ended is free. */
  acquire(request: LockRequest, signal?: AbortSignal): Promise<LockAnswer>;
  /** Gives all keys a new lease, beginning now. False, and nothing was done, when one of them is not the owner's. */
  extend(request: LockRequest): Promise<boolean>;
  /** Frees those keys that are the owner's. False when none was. */
  release(owner: LockOwner): Promise<boolean>;
  /**
   * Calls `onFree` whenever one of the keys may have been let go of after `sinceMs`, a moment of the monotonic clock.
   * It may call in vain, and need not tell of leases that end. Absent in a store that can only be asked again.
   */
  watch?(keys: readonly string[], sinceMs: number, onFree: () => void): LockWatch;
}
