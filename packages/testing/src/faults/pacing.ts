import type { Clock } from "@sluice/core";

import type { LaneConditions } from "./conditions.ts";

// Under a limit on bandwidth, at most this much time's worth of bytes leaves in one write.
const burstMs = 20;

/** When the bytes of one lane may leave, and how many at once. */
export class Pacing {
  readonly #conditions: LaneConditions;
  readonly #clock: Clock;
  #nextWriteMs = -Infinity;

  constructor(conditions: LaneConditions, clock: Clock) {
    this.#conditions = conditions;
    this.#clock = clock;
  }

  /** When what arrives now is due. It may still have to wait for what is before it. */
  dueMs(): number {
    return this.#clock.monotonic() + this.#conditions.drawDelayMs();
  }

  waitMs(dueMs: number): number {
    return Math.max(dueMs, this.#nextWriteMs) - this.#clock.monotonic();
  }

  mostBytes(): number {
    const { bytesPerSecond, sliceBytes } = this.#conditions;
    return Math.min(sliceBytes, Math.max(1, Math.floor((bytesPerSecond * burstMs) / 1000)));
  }

  wrote(bytes: number): void {
    const { bytesPerSecond, gapMs } = this.#conditions;
    this.#nextWriteMs = this.#clock.monotonic() + Math.max(gapMs, (bytes / bytesPerSecond) * 1000);
  }

  /** After a change of the conditions: earlier writes no longer hold up the next. */
  restart(): void {
    this.#nextWriteMs = -Infinity;
  }
}
