import type { Clock, Timer } from "@sluice/core";

import type { LaneConditions } from "./conditions.ts";
import { Pacing } from "./pacing.ts";

/** How a stream ends: in order, or by a reset. */
export type Ending = "fin" | "rst";

/** Where a {@link Lane} leads to, and how it slows down where it comes from. */
export interface LaneEnds {
  /** Hands bytes on, and calls back in a later turn, when the next may follow. */
  readonly deliver: (bytes: Buffer, done: () => void) => void;
  /** Tells the other side that this one has ended. */
  readonly end: (ending: Ending) => void;
  /** Asks the source to send no more, or to go on. */
  readonly throttleSource: (paused: boolean) => void;
  /** Called after a count of the lane has changed. */
  readonly changed: () => void;
}

interface Waiting {
  readonly what: Buffer | Ending;
  readonly dueMs: number;
}

/** What one lane holds before it stops reading, as a full TCP window does. */
export const heldBytesLimit = 2 ** 20;

/**
 * One way through one connection: bytes in order, under the conditions that are in force. It holds little more than
 * {@link heldBytesLimit} bytes, and at most one timer.
 */
export class Lane {
  heldBytes = 0;
  deliveredBytes = 0;
  droppedBytes = 0;
  readonly #conditions: LaneConditions;
  readonly #clock: Clock;
  readonly #ends: LaneEnds;
  readonly #pacing: Pacing;
  readonly #queue: Waiting[] = [];
  #timer: Timer | undefined;
  #state: "idle" | "writing" | "closed" = "idle";
  #paused = false;

  constructor(conditions: LaneConditions, clock: Clock, ends: LaneEnds) {
    this.#conditions = conditions;
    this.#clock = clock;
    this.#ends = ends;
    this.#pacing = new Pacing(conditions, clock);
  }

  push(bytes: Buffer): void {
    if (this.#state === "closed") return;
    this.#queue.push({ what: bytes, dueMs: this.#pacing.dueMs() });
    this.#hold(bytes.length);
    this.#step();
  }

  finish(ending: Ending): void {
    if (this.#state === "closed") return;
    this.#queue.push({ what: ending, dueMs: this.#pacing.dueMs() });
    this.#step();
  }

  /** Looks at the conditions anew. */
  refresh(): void {
    this.#pacing.restart();
    if (!this.#conditions.delays) {
      for (const [index, { what }] of this.#queue.entries()) this.#queue[index] = { what, dueMs: -Infinity };
    }
    this.#step();
  }

  /** Forgets everything, timers included. */
  close(): void {
    this.#state = "closed";
    this.#timer?.cancel();
    this.#queue.length = 0;
    this.heldBytes = 0;
  }

  #step(): void {
    this.#timer?.cancel();
    if (this.#conditions.holding === "drop") this.#drop();
    for (let next = this.#queue[0]; next && this.#state === "idle"; next = this.#queue[0]) {
      const waitMs = this.#waitMs(next);
      if (waitMs > 0) {
        if (waitMs < Infinity) this.#timer = this.#clock.schedule(waitMs, () => this.#step(), { background: true });
        return;
      }
      this.#queue.shift();
      if (typeof next.what === "string") this.#ends.end(next.what);
      else this.#deliver(next.what, next.dueMs);
    }
  }

  #waitMs({ what, dueMs }: Waiting): number {
    const { holding, hidesEnds } = this.#conditions;
    if (holding !== undefined || (hidesEnds && typeof what === "string")) return Infinity;
    return this.#pacing.waitMs(dueMs);
  }

  #deliver(waiting: Buffer, dueMs: number): void {
    const bytes = waiting.subarray(0, this.#pacing.mostBytes());
    if (bytes.length < waiting.length) this.#queue.unshift({ what: waiting.subarray(bytes.length), dueMs });
    this.#pacing.wrote(bytes.length);
    this.#state = "writing";
    this.#ends.deliver(bytes, () => {
      if (this.#state === "closed") return;
      this.#state = "idle";
      this.deliveredBytes += bytes.length;
      this.#hold(-bytes.length);
      this.#step();
    });
  }

  #drop(): void {
    const endings = this.#queue.filter(({ what }) => typeof what === "string");
    if (endings.length === this.#queue.length) return;
    const bytes = this.#queue.reduce((sum, { what }) => sum + (typeof what === "string" ? 0 : what.length), 0);
    this.#queue.splice(0, this.#queue.length, ...endings);
    this.droppedBytes += bytes;
    this.#hold(-bytes);
  }

  #hold(bytes: number): void {
    this.heldBytes += bytes;
    const full = this.heldBytes >= heldBytesLimit;
    if (full !== this.#paused) {
      this.#paused = full;
      this.#ends.throttleSource(full);
    }
    this.#ends.changed();
  }
}
