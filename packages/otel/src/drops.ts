import type { Instruments } from "./instruments.ts";
import type { CounterMetric } from "./package-telemetry.ts";

const droppedMetric: CounterMetric = {
  instrument: "counter",
  name: "sluice.telemetry.dropped",
  unit: "{message}",
  description: "Messages that could not be turned into metrics and spans completely.",
};

/** Counts the messages that were lost, wholly or in part. */
export interface Drops {
  readonly count: number;
  /** Counts one message. Never throws. */
  add(): void;
}

export function createDrops(instruments: Instruments, packageName: string): Drops {
  let count = 0;
  return {
    get count() {
      return count;
    },
    add() {
      count += 1;
      try {
        instruments.record(droppedMetric, { value: 1, attributes: { "sluice.package": packageName } });
      } catch {
        // The provider is broken: the count above is all that is left to tell.
      }
    },
  };
}
