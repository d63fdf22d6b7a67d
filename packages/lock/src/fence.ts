import type { LockOwner } from "./store.ts";

/** Where fencing tokens are minted: somewhere that forgets nothing, and that the guarded writes go to. */
export interface Fence {
  /**
   * Gives each key a token greater than any before. The same owner gets the same tokens again. It waits for
   * transactions that an earlier holder guards.
   *
   * @returns undefined when such a transaction was still open after `waitMs`.
   */
  mint(owner: LockOwner, waitMs: number): Promise<ReadonlyMap<string, bigint> | undefined>;
}
