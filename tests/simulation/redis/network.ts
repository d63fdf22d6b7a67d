import type { Clock, Random } from "@sluice/core";

/** How bad a network is. Chances from 0 to 1, per message. */
export interface Weather {
  /** Shortest and longest way of a message in ms. */
  readonly latencyMs: readonly [number, number];
  readonly loseRequest: number;
  readonly loseReply: number;
  /** A request is executed twice, the second time later. */
  readonly duplicate: number;
  /** A request takes `lateMs` in place of its latency. */
  readonly late: number;
  readonly lateMs: number;
}

/** A network without trouble. */
export const calm: Weather = {
  latencyMs: [0.05, 0.5],
  loseRequest: 0,
  loseReply: 0,
  duplicate: 0,
  late: 0,
  lateMs: 0,
};

/** One way from one end to the other: what is sent first arrives first. */
export class Lane {
  readonly #clock: Clock;
  readonly #random: Random;
  #lastMs = 0;
  #isCut = false;

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  /** Delivers after a while, behind everything sent before. */
  send({ latencyMs: [shortest, longest] }: Weather, deliver: () => void, extraMs = 0): void {
    const wayMs = shortest + this.#random.float() * (longest - shortest) + extraMs;
    this.#lastMs = Math.max(this.#lastMs, this.#clock.monotonic() + wayMs);
    this.#clock.schedule(this.#lastMs - this.#clock.monotonic(), () => {
      if (!this.#isCut) deliver();
    });
  }

  /** From now on nothing arrives, not even what is underway. */
  cut(): void {
    this.#isCut = true;
  }
}
