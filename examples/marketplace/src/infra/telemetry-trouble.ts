import { diag, DiagLogLevel } from "@opentelemetry/api";
import { systemClock } from "@sluice/core";

import type { Log } from "../http/log.ts";

const quietMs = 60_000;
const longestText = 300;

/**
 * Logs what the SDK of OpenTelemetry complains about, such as a receiver that is down, at most once a minute. The SDK has
 * one place for complaints in a process: the last caller gets them.
 */
export function logTelemetryTrouble(log: Log): void {
  let saidMs = Number.NEGATIVE_INFINITY;
  const say = (message: string): void => {
    const nowMs = systemClock.monotonic();
    if (nowMs - saidMs < quietMs) return;
    saidMs = nowMs;
    log.warn({ error: { message: message.slice(0, longestText) } }, "Telemetry is in trouble");
  };
  const logger = { error: say, warn: say, info: ignore, debug: ignore, verbose: ignore };
  diag.setLogger(logger, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
}

function ignore(): void {}
