import { sleep, systemClock } from "@sluice/core";

import type { Log } from "./http/log.ts";

/** What there is to end, in order. Units: ms. */
export interface Shutdown {
  /** From now on this process is not ready. */
  readonly drain: () => void;
  /** How long load balancers have to notice. */
  readonly delayMs: number;
  /** Lets go of everything, gracefully. */
  readonly close: () => Promise<void>;
  /** After which the process ends, finished or not. Includes the delay. */
  readonly timeoutMs: number;
  readonly log: Pick<Log, "info" | "error">;
}

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

// A wrapper such as npm passes on what the terminal has already sent to everybody: that is still one signal.
const echoMs = 1000;

/** Ends the process in order on the first signal, and at once on the second. */
export function shutDownOnSignal(shutdown: Shutdown): void {
  let firstMs: number | undefined;
  for (const signal of signals) {
    process.on(signal, () => {
      const nowMs = systemClock.monotonic();
      if (firstMs !== undefined) {
        if (nowMs - firstMs > echoMs) process.exit(1);
        return;
      }
      firstMs = nowMs;
      shutdown.log.info({ signal }, "Shutting down");
      void end(shutdown);
    });
  }
}

async function end({ drain, delayMs, close, timeoutMs, log }: Shutdown): Promise<void> {
  systemClock.schedule(timeoutMs, () => {
    log.error("Shutting down took too long");
    process.exit(1);
  });
  try {
    drain();
    await sleep(systemClock, delayMs);
    await close();
    log.info("Shut down");
    process.exit(0);
  } catch (error) {
    log.error({ error: { message: String(error) } }, "Shutting down failed");
    process.exit(1);
  }
}
