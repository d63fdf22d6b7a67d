import { systemClock } from "@sluice/core";

/** Shows how far a long load is. */
export interface Progress {
  update(table: string, done: number, of: number): void;
  end(): void;
}

/** Where progress is shown: a terminal gets a bar that moves, anything else a line now and then. */
export type ProgressOutput = Pick<NodeJS.WriteStream, "write"> & { readonly isTTY?: boolean };

const barWidth = 30;
const lineEveryMs = 5000;

/**
 * Progress on a stream. Loads that are done within seconds show nothing but a bar.
 *
 * @param things - What there are so many of.
 */
export function createProgress(output: ProgressOutput, things = "rows"): Progress {
  let shownMs = systemClock.monotonic();
  let onBar = false;
  return {
    update(table, done, of) {
      const percent = Math.floor((done / of) * 100);
      if (output.isTTY) {
        const filled = Math.floor((done / of) * barWidth);
        output.write(`\r  ${table.padEnd(10)} [${"#".repeat(filled)}${".".repeat(barWidth - filled)}] ${percent} % `);
        onBar = true;
      } else if (systemClock.monotonic() - shownMs > lineEveryMs) {
        shownMs = systemClock.monotonic();
        output.write(`  ${table}: ${done} of ${of} ${things} (${percent} %)\n`);
      }
    },
    end() {
      if (onBar) output.write(`\r${" ".repeat(barWidth + 25)}\r`);
    },
  };
}
