import type { Clock, Timer } from "@sluice/core";

import { InventoryClosedError, InventoryOverloadedError } from "../errors.ts";
import type { Decision } from "../store.ts";
import { Waiting, type Asked } from "./waiting.ts";

/** What the lanes are bounded by, and who does their work. */
export interface LanesOptions {
  readonly clock: Clock;
  readonly connections: number;
  readonly maxBatch: number;
  readonly maxQueue: number;
  /** Answers all of a batch, who share a lane, and never throws. */
  readonly run: (batch: readonly Waiting[]) => Promise<void>;
}

const soonestSweepMs = 5;
const leastRetryMs = 50;

/**
 * One queue per lane. While a connection is free, what came in one turn of the event loop is a batch; while none is,
 * callers collect. Lanes take turns. Callers have all the same patience, so the first of a queue is due first.
 */
export class Lanes {
  readonly #options: LanesOptions;
  readonly #queues = new Map<string, Waiting[]>();
  readonly #underway = new Set<readonly Waiting[]>();
  #waiting = 0;
  #isPumpDue = false;
  #sweep: Timer | undefined;
  #batchMs = 10;
  #idle: PromiseWithResolvers<void> | undefined;

  constructor(options: LanesOptions) {
    this.#options = options;
  }

  /** Callers who were not sent yet. */
  get waiting(): number {
    return this.#waiting;
  }

  /** @throws `ERR_SLUICE_INVENTORY_OVERLOADED`, `ERR_SLUICE_INVENTORY_CLOSED` */
  add(asked: Asked): Promise<Decision> {
    if (this.#idle) return Promise.reject(new InventoryClosedError());
    if (this.#waiting >= this.#options.maxQueue) {
      return Promise.reject(new InventoryOverloadedError(this.#waiting, this.#retryAfterMs()));
    }
    const waiting = new Waiting(asked);
    const queue = this.#queues.get(asked.lane);
    if (queue) queue.push(waiting);
    else this.#queues.set(asked.lane, [waiting]);
    this.#waiting += 1;
    this.#pumpSoon();
    this.#sweepAt(asked.dueMs);
    return waiting.answer;
  }

  /** Takes nobody in any more. Resolves when everybody has an answer. */
  async close(): Promise<void> {
    this.#idle ??= Promise.withResolvers<void>();
    this.#endWhenIdle();
    await this.#idle.promise;
    this.#sweep?.cancel();
  }

  // At the end of the turn: whoever comes in the same turn is in the same batch.
  #pumpSoon(): void {
    if (this.#isPumpDue || this.#underway.size >= this.#options.connections) return;
    this.#isPumpDue = true;
    setImmediate(() => {
      this.#isPumpDue = false;
      this.#pump();
    });
  }

  #pump(): void {
    while (this.#underway.size < this.#options.connections) {
      const [first] = this.#queues;
      if (!first) break;
      void this.#send(this.#takeBatch(...first));
    }
    this.#endWhenIdle();
  }

  // An id that is in the batch already waits for the next one: there the database knows what became of the first.
  #takeBatch(lane: string, queue: readonly Waiting[]): readonly Waiting[] {
    const batch = new Map<string, Waiting>();
    const rest: Waiting[] = [];
    for (const waiting of queue) {
      const { id } = waiting.asked.wanted;
      if (batch.size < this.#options.maxBatch && !batch.has(id)) batch.set(id, waiting);
      else rest.push(waiting);
    }
    this.#queues.delete(lane);
    if (rest.length > 0) this.#queues.set(lane, rest);
    this.#waiting -= batch.size;
    return [...batch.values()];
  }

  async #send(batch: readonly Waiting[]): Promise<void> {
    const { clock, run } = this.#options;
    this.#underway.add(batch);
    const startedMs = clock.monotonic();
    await run(batch);
    this.#batchMs += (clock.monotonic() - startedMs - this.#batchMs) / 8;
    this.#underway.delete(batch);
    // Those who were answered just now and ask again come along.
    this.#pumpSoon();
    this.#endWhenIdle();
  }

  #retryAfterMs(): number {
    const { maxBatch, connections } = this.#options;
    return Math.max(leastRetryMs, Math.ceil((this.#waiting / maxBatch / connections) * this.#batchMs));
  }

  #sweepAt(dueMs: number): void {
    if (this.#sweep) return;
    const { clock } = this.#options;
    const delayMs = Math.max(soonestSweepMs, dueMs - clock.monotonic());
    this.#sweep = clock.schedule(delayMs, () => {
      this.#sweep = undefined;
      this.#expireAll();
    });
  }

  #expireAll(): void {
    const nowMs = this.#options.clock.monotonic();
    let nextMs = Number.POSITIVE_INFINITY;
    for (const [lane, queue] of this.#queues) {
      const live = queue.findIndex(({ asked }) => asked.dueMs > nowMs);
      const due = queue.splice(0, live === -1 ? queue.length : live);
      for (const waiting of due) waiting.expire(nowMs);
      this.#waiting -= due.length;
      if (queue.length === 0) this.#queues.delete(lane);
      nextMs = Math.min(nextMs, queue[0]?.asked.dueMs ?? nextMs);
    }
    for (const waiting of [...this.#underway].flat()) {
      if (waiting.isSettled) continue;
      if (waiting.asked.dueMs <= nowMs) waiting.expire(nowMs);
      else nextMs = Math.min(nextMs, waiting.asked.dueMs);
    }
    if (nextMs < Number.POSITIVE_INFINITY) this.#sweepAt(nextMs);
    this.#endWhenIdle();
  }

  #endWhenIdle(): void {
    if (this.#underway.size === 0 && this.#queues.size === 0) this.#idle?.resolve();
  }
}
