import { type Clock, sleep } from "@sluice/core";

import type { Admission } from "./admission.ts";
import { inventoryEvents } from "./events.ts";
import type { Level } from "./reservation.ts";

const answerWithinMs = 50;
const askAgainAfterMs = 1000;
const mostUnpublished = 10_000;

/** Asks and tells the shared hints, and goes on without them while they are away. */
export class Hints {
  readonly #admission: Admission;
  readonly #clock: Clock;
  /** Levels that were not published yet, the newest of each product. */
  readonly #unpublished = new Map<string, Level>();
  #awayUntilMs = 0;
  #isAway = false;
  #isPublishing = false;

  constructor(admission: Admission, clock: Clock) {
    this.#admission = admission;
    this.#clock = clock;
  }

  /** Whether somebody may ask the database. Yes, when nobody says no in time. */
  async admits(productId: string, quantity: number): Promise<boolean> {
    if (this.#clock.monotonic() < this.#awayUntilMs) return true;
    try {
      const answer = await this.#within(this.#admission.admit(productId, quantity));
      this.#answered();
      return answer !== "sold_out";
    } catch (error) {
      this.#failed(error);
      return true;
    }
  }

  /** Publishes levels after their commit, what comes meanwhile at once afterwards. Never throws, and nobody waits. */
  publish(levels: readonly Level[]): void {
    this.#keep(levels);
    if (!this.#isPublishing) void this.#publishAll();
  }

  async #publishAll(): Promise<void> {
    this.#isPublishing = true;
    while (this.#unpublished.size > 0) {
      const leftMs = this.#awayUntilMs - this.#clock.monotonic();
      if (leftMs > 0) {
        this.#clock.schedule(leftMs, () => void this.#publishAll(), { background: true });
        return;
      }
      const levels = [...this.#unpublished.values()];
      this.#unpublished.clear();
      try {
        await this.#within(this.#admission.publish(levels));
        this.#answered();
      } catch (error) {
        this.#failed(error);
        this.#keep(levels);
      }
    }
    this.#isPublishing = false;
  }

  #keep(levels: readonly Level[]): void {
    for (const level of levels) {
      const known = this.#unpublished.get(level.productId);
      // What does not fit any more is set right by a reconciliation.
      if (!known && this.#unpublished.size >= mostUnpublished) continue;
      if (!known || known.version < level.version) this.#unpublished.set(level.productId, level);
    }
  }

  async #within<T>(answer: Promise<T>): Promise<T> {
    const ended = new AbortController();
    const late = sleep(this.#clock, answerWithinMs, ended.signal).then(() => {
      throw new Error(`no answer within ${answerWithinMs} ms`);
    });
    late.catch(() => undefined);
    try {
      return await Promise.race([answer, late]);
    } finally {
      ended.abort();
    }
  }

  #answered(): void {
    if (!this.#isAway) return;
    this.#isAway = false;
    inventoryEvents.publish({ type: "recovered", part: "admission" });
  }

  #failed(error: unknown): void {
    this.#awayUntilMs = this.#clock.monotonic() + askAgainAfterMs;
    if (this.#isAway) return;
    this.#isAway = true;
    inventoryEvents.publish({ type: "degraded", part: "admission", error });
  }
}
