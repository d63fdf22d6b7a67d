import type { Clock } from "@sluice/core";

import { createDeadlines, Wait, type Deadlines } from "./deadlines.ts";
import { keepsTime, together } from "./direct.ts";
import { RedisUnavailableError, RedisUnknownError } from "./errors.ts";
import { laneOf, type Lane } from "./lanes.ts";
import type { Redis } from "./port.ts";

/** One caller's piece of work, from its arrival to its outcome. */
export interface Job<Work, Answer> {
  readonly work: Work;
  /** Hands the answer to the caller, or to `onGone` when there is none any more. */
  answer(answer: Answer): void;
  /** Hands an error to the caller. */
  fail(error: Error): void;
}

/** What differs between the kinds of work. */
export interface TurnQueueOptions<Work, Answer> {
  readonly redis: Redis;
  readonly clock: Clock;
  readonly deadlineMs: number;
  readonly maxWaiting: number;
  /** Whether a caller who leaves after sending must wonder what was done. */
  readonly writes: boolean;
  /** The server that the work goes to. */
  shardOf(work: Work): string;
  /** Whether the two may share a batch. */
  fit(first: Work, next: Work): boolean;
  /**
   * Sends a batch and settles its jobs. Calls `freed` once when none is underway any more, before it settles the last:
   * so whoever goes on with its answer finds the lane free.
   */
  send(batch: readonly Job<Work, Answer>[], freed: () => void): void;
  /** Called with an answer whose caller has gone. */
  onGone?(work: Work, answer: Answer): void;
}

/** One piece of work. A class, as there is one per call and its methods are then made once. */
class Entry<Work, Answer> extends Wait implements Job<Work, Answer> {
  readonly work: Work;
  state: "waiting" | "sent" | "over" = "waiting";
  ignoreSignal: (() => void) | undefined = undefined;
  readonly #queue: TurnQueue<Work, Answer>;
  readonly #resolve: (answer: Answer) => void;
  readonly #reject: (error: Error) => void;

  constructor(queue: TurnQueue<Work, Answer>, work: Work, { resolve, reject }: Settle<Answer>) {
    super();
    this.#queue = queue;
    this.work = work;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  answer(answer: Answer): void {
    if (this.#queue.finish(this)) this.#resolve(answer);
    else this.#queue.options.onGone?.(this.work, answer);
  }

  fail(error: Error): void {
    if (this.#queue.finish(this)) this.#reject(error);
  }

  expire(): void {
    this.leave("deadline", `no answer within ${this.#queue.options.deadlineMs} ms`);
  }

  leave(reason: "cancelled" | "deadline", detail: string): void {
    const isUnsure = this.state === "sent" && this.#queue.options.writes;
    this.fail(isUnsure ? new RedisUnknownError(reason, detail) : new RedisUnavailableError(reason, detail));
  }
}

interface Settle<Answer> {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

/** What goes to one server. */
interface Queue<Work, Answer> {
  readonly shard: string;
  readonly lane: Lane;
  readonly entries: Entry<Work, Answer>[];
  head: number;
  /** Entries of the batch that was sent last. */
  sent: number;
  /** Answers to many are being handed out now: who adds to the queue comes back with one of them. */
  isAnswering: boolean;
  /** What waits came back with answers. */
  isReturning: boolean;
  readonly pump: () => void;
  readonly freed: () => void;
}

const longestBatch = 128;
// From this many on, callers who come back together are sent in two halves.
const worthHalving = 32;
// Queues of servers that are gone are not kept beyond this many.
const mostKept = 64;

/**
 * Work that is collected during a turn of the event loop and sent at its end. Collects, batches, cancels and times
 * out; what a batch is made of is up to the options.
 */
export class TurnQueue<Work, Answer> {
  readonly options: TurnQueueOptions<Work, Answer>;
  readonly #queues = new Map<string, Queue<Work, Answer>>();
  readonly #deadlines: Deadlines<Entry<Work, Answer>>;
  readonly #portKeepsTime: boolean;
  #waiting = 0;

  constructor(options: TurnQueueOptions<Work, Answer>) {
    this.options = options;
    this.#portKeepsTime = keepsTime(options.redis);
    this.#deadlines = createDeadlines(options.clock);
  }

  /** How many pieces of work are waiting to be sent. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Takes a piece of work. Rejects at its deadline, and when the signal aborts. */
  add(work: Work, signal: AbortSignal | undefined): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const refusal = this.#refusal(signal);
      if (refusal) return reject(refusal);
      const entry = new Entry<Work, Answer>(this, work, { resolve, reject });
      this.#enqueue(entry);
      if (signal) heed(signal, entry);
    });
  }

  /** Ends the wait of an entry. False when it was over before. */
  finish(entry: Entry<Work, Answer>): boolean {
    if (entry.state === "over") return false;
    if (entry.state === "waiting") this.#waiting -= 1;
    entry.state = "over";
    this.#deadlines.met(entry);
    entry.ignoreSignal?.();
    return true;
  }

  #refusal(signal: AbortSignal | undefined): RedisUnavailableError | undefined {
    if (signal?.aborted) return new RedisUnavailableError("cancelled", String(signal.reason));
    if (this.#waiting < this.options.maxWaiting) return undefined;
    return new RedisUnavailableError("overloaded", `${this.#waiting} entries are waiting to be sent`);
  }

  #enqueue(entry: Entry<Work, Answer>): void {
    const shard = this.options.shardOf(entry.work);
    const queue = this.#queues.get(shard) ?? this.#open(shard);
    this.#waiting += 1;
    const isFirst = queue.entries.push(entry) === 1;
    // Whoever is first on a free lane is sent with this turn, and then its command's own deadline is enough.
    if (!isFirst || !queue.lane.isIdle || !this.#portKeepsTime) this.#startDeadline(entry);
    if (!isFirst) return;
    queue.isReturning = queue.isAnswering && queue.lane.isIdle;
    // With nothing underway, at the end of this callback: a lone caller waits for nobody. Else after this turn's I/O
    // callbacks, in which the calls of many requests come together.
    if (queue.lane.isIdle) process.nextTick(queue.pump);
    else setImmediate(queue.pump);
  }

  #open(shard: string): Queue<Work, Answer> {
    const lane = laneOf(this.options.redis, shard);
    const send = (): void => this.#sendAll(queue);
    const pump = shard === "" ? send : (): void => together(this.options.redis, shard, send);
    const answered = (): void => void (queue.isAnswering = false);
    const freed = (): void => {
      lane.leave();
      if (queue.sent < worthHalving / 2) return;
      queue.isAnswering = true;
      process.nextTick(answered);
    };
    const states = { head: 0, sent: 0, isAnswering: false, isReturning: false };
    const queue: Queue<Work, Answer> = { shard, lane, entries: [], ...states, pump, freed };
    this.#queues.set(shard, queue);
    return queue;
  }

  #startDeadline(entry: Entry<Work, Answer>): void {
    this.#deadlines.start(entry, this.options.deadlineMs);
  }

  #sendAll(queue: Queue<Work, Answer>): void {
    const most = mostOf(queue);
    for (skipOver(queue); queue.head < queue.entries.length; skipOver(queue)) {
      if (!queue.lane.enter()) return this.#block(queue);
      this.options.send(this.#take(queue, most), queue.freed);
    }
    queue.head = 0;
    // Not by setting the length, which gives up the memory that the next entry asks for again.
    while (queue.entries.length > 0) queue.entries.pop();
    if (this.#queues.size > mostKept) this.#queues.delete(queue.shard);
  }

  #block(queue: Queue<Work, Answer>): void {
    const first = queue.entries[queue.head];
    // The lane was free when it came, and others have taken it since.
    if (first && !first.after) this.#startDeadline(first);
    queue.lane.wait(queue.pump);
  }

  #take(queue: Queue<Work, Answer>, most: number): Entry<Work, Answer>[] {
    const first = queue.entries[queue.head] as Entry<Work, Answer>;
    const batch = [first];
    for (queue.head += 1; queue.head < queue.entries.length && batch.length < most; queue.head += 1) {
      const entry = queue.entries[queue.head] as Entry<Work, Answer>;
      if (entry.state !== "waiting") continue;
      if (!this.options.fit(first.work, entry.work)) break;
      batch.push(entry);
    }
    for (const entry of batch) entry.state = "sent";
    this.#waiting -= batch.length;
    queue.sent = batch.length;
    // Under a load that never lets up the queue is never empty: what was sent must leave it all the same.
    if (queue.head > 1024) queue.head -= queue.entries.splice(0, queue.head).length;
    return batch;
  }
}

function heed<Work, Answer>(signal: AbortSignal, entry: Entry<Work, Answer>): void {
  const leave = (): void => entry.leave("cancelled", String(signal.reason));
  signal.addEventListener("abort", leave, { once: true });
  // A signal may outlive many entries.
  entry.ignoreSignal = () => signal.removeEventListener("abort", leave);
}

/**
 * Entries of the next batch, at most. Callers who all wait for one batch come back together, and server and process
 * would take turns at doing nothing: in two halves, one is decided while the answers of the other are handed out.
 */
function mostOf<Work, Answer>({ isReturning, entries, head }: Queue<Work, Answer>): number {
  const left = entries.length - head;
  return isReturning && left >= worthHalving ? Math.min(longestBatch, Math.ceil(left / 2)) : longestBatch;
}

function skipOver(queue: { readonly entries: readonly { readonly state: string }[]; head: number }): void {
  while (queue.head < queue.entries.length && queue.entries[queue.head]?.state !== "waiting") queue.head += 1;
}
