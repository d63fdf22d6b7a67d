import { sleep, type Clock } from "@sluice/core";

import { cacheEvents } from "./events.ts";
import { Journal, type Note } from "./journal.ts";
import type { L1 } from "./l1.ts";
import type { CacheStore } from "./store.ts";
import { keysOf, type InvalidationTarget } from "./target.ts";

/** What became of an invalidation. */
export interface Invalidated {
  /** Targets that the store has applied: no read that begins from now on, anywhere, finds what was before. */
  readonly applied: number;
  /** Targets that the store could not be told. This process keeps to them, and repeats them until it can. */
  readonly queued: number;
}

/** What {@link Invalidator} needs. */
export interface InvalidatorGround {
  readonly store: CacheStore;
  readonly clock: Clock;
  readonly l1: L1 | undefined;
  readonly journalMs: number;
  /** How long generations are kept, in ms. */
  readonly keepMs: () => number;
}

const firstPauseMs = 50;
const longestPauseMs = 1000;
const replayEveryMs = 1000;

/** Tells the store what is no longer true, and keeps telling it until it has heard. */
export class Invalidator {
  readonly journal: Journal;
  /** Changes with every invalidation by this process. */
  epoch = 0;
  readonly #ground: InvalidatorGround;
  readonly #closing = new AbortController();
  #retrying: Promise<void> | undefined;
  #replayedMs = Number.NEGATIVE_INFINITY;

  constructor(ground: InvalidatorGround) {
    this.#ground = ground;
    this.journal = new Journal(ground.clock, ground.journalMs);
  }

  /** Applies targets, or keeps to them until they are. One round trip. Never rejects. */
  async invalidate(targets: readonly InvalidationTarget[]): Promise<Invalidated> {
    const startedMs = this.#ground.clock.monotonic();
    this.epoch += 1;
    // Before the store is told, so that no copy here outlives the call; again after, for what was read in between.
    for (const target of targets) this.#forget(target);
    const outcomes = await Promise.all(targets.map((target) => this.#apply(target)));
    this.epoch += 1;
    const queued = outcomes.filter((applied) => !applied).length;
    const applied = targets.length - queued;
    if (queued > 0) this.#retry();
    if (applied > 0) {
      const durationMs = this.#ground.clock.monotonic() - startedMs;
      cacheEvents.publish({ type: "invalidated", targets: applied, durationMs });
    }
    return { applied, queued };
  }

  /** Sends recent invalidations again, as the store may have lost them. Whether it has them now. */
  async replay(reason: "reconnect" | "lost"): Promise<boolean> {
    const nowMs = this.#ground.clock.monotonic();
    if (reason === "reconnect" && nowMs < this.#replayedMs + replayEveryMs) return true;
    this.#replayedMs = nowMs;
    const notes = this.journal.recent();
    if (notes.length === 0) return true;
    const targets = notes.map(({ target }) => target);
    for (const target of targets) this.#forget(target);
    const outcomes = await Promise.all(targets.map((target) => this.#apply(target)));
    cacheEvents.publish({ type: "invalidations-replayed", targets: targets.length, reason });
    const complete = outcomes.every(Boolean);
    if (!complete) this.#retry();
    return complete;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#retrying;
  }

  #forget(target: InvalidationTarget): void {
    for (const key of keysOf(target)) this.#ground.l1?.kill(key);
  }

  async #apply(target: InvalidationTarget): Promise<boolean> {
    try {
      this.journal.applied(target, await this.#send(target));
      return true;
    } catch (error) {
      this.journal.queued(target);
      cacheEvents.publish({ type: "invalidation-queued", queued: this.journal.waiting, error });
      return false;
    } finally {
      this.#forget(target);
    }
  }

  /** What tells later whether the store still knows: the token, or the time of the drop. */
  async #send(target: InvalidationTarget): Promise<Note["proof"]> {
    const { store, keepMs } = this.#ground;
    if (target.kind === "entry") {
      const times = await Promise.all(target.keys.map((key) => store.drop(key, target.settleMs)));
      return Math.min(...times);
    }
    const { generations, maxStaleMs } = target;
    return store.bump({ generations, keepMs: keepMs(), ...(maxStaleMs === undefined ? {} : { maxStaleMs }) });
  }

  #retry(): void {
    this.#retrying ??= this.#retryAll().finally(() => {
      this.#retrying = undefined;
    });
  }

  async #retryAll(): Promise<void> {
    for (let pauseMs = firstPauseMs; this.journal.waiting > 0; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      try {
        await sleep(this.#ground.clock, pauseMs, this.#closing.signal);
      } catch {
        return;
      }
      // One first: an outage must not cost as many calls as there are targets.
      const [first, ...others] = this.journal.unapplied();
      if (!first || !(await this.#apply(first.target))) continue;
      const outcomes = await Promise.all(others.map(({ target }) => this.#apply(target)));
      const targets = 1 + outcomes.filter(Boolean).length;
      cacheEvents.publish({ type: "invalidations-replayed", targets, reason: "retry" });
    }
  }
}
