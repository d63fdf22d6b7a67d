import { sleep, type Clock, type Random } from "@sluice/core";

import { LockBusyError, LockUnavailableError, type BusyReason } from "./errors.ts";
import { lockEvents } from "./events.ts";
import type { Fence } from "./fence.ts";
import { degradedLock, heldLock, type HeldLock } from "./held-lock.ts";
import type { KeyQueues, Turn } from "./key-queues.ts";
import { Lease } from "./lease.ts";
import { obtain } from "./obtain.ts";
import type { LockRequest, LockStore } from "./store.ts";

/** One caller that wants a lock. */
export interface AcquisitionFacts {
  readonly store: LockStore;
  readonly queues: KeyQueues;
  readonly clock: Clock;
  readonly random: Random;
  readonly fence?: Fence;
  readonly onStoreError: "allow" | "deny";
  readonly pollMs: number;
  readonly maxWaiting: number;
  readonly request: LockRequest;
  readonly waitMs: number;
  readonly signal: AbortSignal | undefined;
}

/** The way from wanting a lock to holding it: this process's queue, the store, the fence. */
export class Acquisition {
  readonly #facts: AcquisitionFacts;
  readonly #startedMs: number;

  constructor(facts: AcquisitionFacts) {
    this.#facts = facts;
    this.#startedMs = facts.clock.monotonic();
  }

  async run(): Promise<HeldLock> {
    const { queues, request, signal } = this.#facts;
    signal?.throwIfAborted();
    const turn = queues.enter(request.keys);
    try {
      if (turn.ready) await this.#comes(turn.ready);
      return await this.#take(turn);
    } catch (error) {
      turn.leave();
      throw error;
    }
  }

  /** Waits for this process's queue. */
  async #comes(ready: Promise<void>): Promise<void> {
    const { clock, queues, waitMs, maxWaiting, signal } = this.#facts;
    if (waitMs === 0) throw this.#busy("held");
    if (queues.waiting > maxWaiting) throw this.#busy("queue-full");
    const over = new AbortController();
    const time = sleep(clock, waitMs, signal ? AbortSignal.any([signal, over.signal]) : over.signal);
    const isTime = time.then(() => true);
    try {
      if (await Promise.race([ready, isTime])) throw this.#busy("held");
    } finally {
      isTime.catch(() => undefined);
      over.abort();
    }
  }

  /** It is this process's turn, and another's lock. */
  #waits(): () => void {
    const { queues, maxWaiting } = this.#facts;
    if (queues.waiting >= maxWaiting) throw this.#busy("queue-full");
    return queues.ask();
  }

  /** Asks the store. */
  async #take(turn: Turn): Promise<HeldLock> {
    const { signal, waitMs } = this.#facts;
    let grantedMs: number | undefined;
    try {
      grantedMs = await obtain({ ...this.#facts, untilMs: this.#startedMs + waitMs, onWait: () => this.#waits() });
    } catch (error) {
      if (error instanceof LockBusyError) throw error;
      return this.#withoutStore(turn, error);
    }
    if (grantedMs === undefined) throw this.#busy("held");
    if (signal?.aborted) {
      this.#letGo();
      throw signal.reason;
    }
    return this.#hold(turn, grantedMs);
  }

  async #hold(turn: Turn, grantedMs: number): Promise<HeldLock> {
    const { clock, request } = this.#facts;
    const { keys, owner } = request;
    const lease = this.#leaseSince(turn, grantedMs);
    const release = async (): Promise<void> => {
      const wasHeld = lease.end();
      await this.#release();
      turn.leave();
      if (wasHeld) lockEvents.publish({ type: "released", keys, heldMs: clock.monotonic() - grantedMs });
    };
    try {
      const { fence } = this.#facts;
      const tokens = fence ? await this.#mint(fence) : noTokens;
      lockEvents.publish({ type: "acquired", keys, waitedMs: this.#waitedMs() });
      return heldLock({ clock, keys, owner, tokens, lease, grantedMs, release });
    } catch (error) {
      await release();
      throw error;
    }
  }

  #leaseSince(turn: Turn, grantedMs: number): Lease {
    const { keys } = this.#facts.request;
    return new Lease({
      ...this.#facts,
      grantedMs,
      onLost: ({ reason, heldForMs }) => {
        lockEvents.publish({ type: "lost", keys, heldMs: heldForMs, reason });
        // Other processes may go on now, so this one may too.
        turn.leave();
        this.#letGo();
      },
      onExtendFailed: (error) => lockEvents.publish({ type: "extend-failed", keys, error }),
    });
  }

  async #mint(fence: Fence): Promise<ReadonlyMap<string, bigint>> {
    const { request, waitMs } = this.#facts;
    let tokens: ReadonlyMap<string, bigint> | undefined;
    try {
      tokens = await fence.mint(request, Math.max(0, waitMs - this.#waitedMs()));
    } catch (error) {
      throw new LockUnavailableError(request.keys, { cause: error });
    }
    if (!tokens) throw this.#busy("fence");
    return tokens;
  }

  #withoutStore(turn: Turn, error: unknown): HeldLock {
    const { request, signal, onStoreError } = this.#facts;
    const { keys, owner } = request;
    // It may have been granted without our knowing.
    this.#letGo();
    if (signal?.aborted) throw signal.reason;
    if (onStoreError === "deny") throw new LockUnavailableError(keys, { cause: error });
    lockEvents.publish({ type: "degraded", keys, error });
    // Within this process, callers still come one after the other.
    return degradedLock(keys, owner, () => turn.leave());
  }

  /** Lets go without making anyone wait for it. */
  #letGo(): void {
    void this.#release();
  }

  async #release(): Promise<void> {
    const { store, request } = this.#facts;
    try {
      await store.release(request);
    } catch (error) {
      lockEvents.publish({ type: "release-failed", keys: request.keys, error });
    }
  }

  #busy(reason: BusyReason): LockBusyError {
    const { keys } = this.#facts.request;
    const waitedMs = this.#waitedMs();
    lockEvents.publish({ type: "busy", keys, waitedMs, reason });
    return new LockBusyError(keys, waitedMs, reason);
  }

  #waitedMs(): number {
    return this.#facts.clock.monotonic() - this.#startedMs;
  }
}

const noTokens: ReadonlyMap<string, bigint> = new Map();
