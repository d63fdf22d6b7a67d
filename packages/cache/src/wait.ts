import { sleep, type Clock, type Random } from "@sluice/core";

const firstPauseMs = 2;
const longestPauseMs = 120;
const growth = 1.5;

/** What {@link Wait} needs. */
export interface WaitGround {
  readonly clock: Clock;
  readonly random: Random;
}

/** One caller's waiting for a load of another process: often at first, as most loads are short, then less and less. */
export class Wait {
  /** How often the record was another one than expected. */
  changes = 0;
  /** How often in a row the store was reminded of an invalidation that it had lost. */
  reminders = 0;
  readonly #ground: WaitGround;
  readonly #beganMs: number;
  #pauseMs = firstPauseMs;

  constructor(ground: WaitGround) {
    this.#ground = ground;
    this.#beganMs = ground.clock.monotonic();
  }

  /** Pauses, not longer than the lease lasts. False at once when there is nothing more to wait for. */
  async pause({ waitMs, leftMs }: { readonly waitMs: number; readonly leftMs: number }): Promise<boolean> {
    const { clock, random } = this.#ground;
    const untilMs = this.#beganMs + waitMs - clock.monotonic();
    if (untilMs <= 0 || leftMs <= 0) return false;
    await sleep(clock, Math.min(this.#pauseMs, untilMs, leftMs + 1) * (0.5 + random.float() / 2));
    this.#pauseMs = Math.min(longestPauseMs, this.#pauseMs * growth);
    return true;
  }
}
