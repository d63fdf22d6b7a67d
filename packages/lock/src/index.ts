export {
  LockBusyError,
  LockFencedOutError,
  LockLostError,
  LockUnavailableError,
  type BusyReason,
  type LostReason,
} from "./errors.ts";
export { holdTraces, lockEvents, type HoldTrace, type LockEvent } from "./events.ts";
export type { Fence } from "./fence.ts";
export type { HeldLock } from "./held-lock.ts";
export { lockLaws, type LockLaw, type LockSubject } from "./laws.ts";
export { createLocks, type AcquireOptions, type Locks, type LocksOptions } from "./locks.ts";
export { memoryStore, type MemoryStoreOptions } from "./memory.ts";
export type { LockAnswer, LockOwner, LockRequest, LockStore, LockWatch } from "./store.ts";
