import type { Clock, Timer } from "@sluice/core";

import { LockLostError, type LostReason } from "./errors.ts";
import type { LockRequest, LockStore } from "./store.ts";

/** What a lease is made of. */
export interface LeaseFacts {
  readonly store: LockStore;
  readonly clock: Clock;
  readonly request: LockRequest;
  /** When the attempt that was granted was sent, on the monotonic clock. */
  readonly grantedMs: number;
  /** Called once, when the lock is lost. */
  readonly onLost: (error: LockLostError) => void;
  /** Called when an extension got no answer. The lease is tried again while it lasts. */
  readonly onExtendFailed: (error: unknown) => void;
}

/**
 * A lock that is held, kept alive until it is let go of. All it believes is its own monotonic clock: the lease counts
 * from the moment the request was sent, less the drift that two clocks may have.
 */
export class Lease {
  readonly #facts: LeaseFacts;
  // Made when somebody asks for the signal: it is dearer than the rest of a lease.
  #abort: AbortController | undefined;
  #lost: LockLostError | undefined;
  #validUntilMs: number;
  #timer: Timer | undefined;
  #isOver = false;

  constructor(facts: LeaseFacts) {
    this.#facts = facts;
    this.#validUntilMs = facts.grantedMs + validityOf(facts.request.leaseMs);
    this.#tickAt(facts.grantedMs + facts.request.leaseMs / 3);
  }

  /** Aborted with `ERR_SLUICE_LOCK_LOST` when the lock is lost. */
  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.#lost) this.#abort.abort(this.#lost);
    return this.#abort.signal;
  }

  /** For how long the lock is certainly held, in ms. 0 when it is lost, or was let go of. */
  remainingMs(): number {
    return this.#isOver ? 0 : Math.max(0, this.#validUntilMs - this.#facts.clock.monotonic());
  }

  /** Extends the lease now. False when the lock is lost; it then is lost for good. */
  async extend(): Promise<boolean> {
    // Also after this process stood still: a store that has forgotten nothing yet may soon.
    if (this.remainingMs() === 0) this.#lose("expired");
    if (this.#isOver) return false;
    const { store, clock, request } = this.#facts;
    const sentMs = clock.monotonic();
    const isOurs = await store.extend(request);
    if (!isOurs) this.#lose("taken");
    if (this.#isOver) return false;
    this.#validUntilMs = sentMs + validityOf(request.leaseMs);
    this.#tickAt(sentMs + request.leaseMs / 3);
    return true;
  }

  /** Stops extending. Returns whether the lock was still held. */
  end(): boolean {
    const wasHeld = this.remainingMs() > 0;
    this.#isOver = true;
    this.#timer?.cancel();
    return wasHeld;
  }

  #lose(reason: LostReason): void {
    if (this.#isOver) return;
    this.end();
    const { clock, request, grantedMs, onLost } = this.#facts;
    const error = new LockLostError(request.keys, clock.monotonic() - grantedMs, reason);
    this.#lost = error;
    this.#abort?.abort(error);
    onLost(error);
  }

  #tickAt(dueMs: number): void {
    this.#timer?.cancel();
    const delayMs = Math.min(dueMs, this.#validUntilMs) - this.#facts.clock.monotonic();
    this.#timer = this.#facts.clock.schedule(delayMs, () => this.#tick(), { background: true });
  }

  #tick(): void {
    const { clock, request, onExtendFailed } = this.#facts;
    // The next look, should this extension fail or hang.
    this.#tickAt(clock.monotonic() + request.leaseMs / 10);
    this.extend().catch(onExtendFailed);
  }
}

// As Redlock does: 1 % for clocks that run at different speeds, 2 ms for the resolution of an expiry.
function validityOf(leaseMs: number): number {
  return leaseMs - leaseMs * 0.01 - 2;
}
