import { eventChannel, traceChannel, type EventChannel, type TraceChannel } from "@sluice/core";

import type { BusyReason, LostReason } from "./errors.ts";

/** What happens to locks, on the channel `sluice:lock`. */
export type LockEvent =
  | { readonly type: "acquired"; readonly keys: readonly string[]; readonly waitedMs: number }
  | { readonly type: "busy"; readonly keys: readonly string[]; readonly waitedMs: number; readonly reason: BusyReason }
  | { readonly type: "released"; readonly keys: readonly string[]; readonly heldMs: number }
  /** Somebody else may hold the lock while the work still runs. */
  | { readonly type: "lost"; readonly keys: readonly string[]; readonly heldMs: number; readonly reason: LostReason }
  /** An extension got no answer. It is tried again while the lease lasts. */
  | { readonly type: "extend-failed"; readonly keys: readonly string[]; readonly error: unknown }
  /** The store could not be told to let go; the lease does it. */
  | { readonly type: "release-failed"; readonly keys: readonly string[]; readonly error: unknown }
  /** The store could not be asked, and the work runs without a lock. */
  | { readonly type: "degraded"; readonly keys: readonly string[]; readonly error: unknown };

/** The events of this package. */
export const lockEvents: EventChannel<LockEvent> = eventChannel<LockEvent>("sluice:lock");

/** The work of {@link Locks.withLock}, on the channel `sluice:lock:hold`. */
export interface HoldTrace {
  readonly keys: readonly string[];
}

/** Runs the work of {@link Locks.withLock}. */
export const holdTraces: TraceChannel<HoldTrace> = traceChannel<HoldTrace>("sluice:lock:hold");
