import { InvalidArgumentError } from "@sluice/core";

import type { Condition } from "./conditions.ts";
import { directions, type Direction } from "./direction.ts";

/** Which way a fault is on. */
export interface OneWay {
  /** Default: both ways. */
  readonly direction?: Direction;
}

/** How {@link FaultProxy.latency} delays. */
export interface LatencyOptions extends OneWay {
  /** Delay in ms. */
  readonly delayMs: number;
  /** Upper bound in ms of a uniform random delay on top. Bytes stay in order. Default 0. */
  readonly jitterMs?: number;
}

/** How {@link FaultProxy.blackhole} swallows. */
export interface BlackholeOptions extends OneWay {
  /**
   * What becomes of the bytes: `"deliver"` holds them and delivers them when the fault is lifted, as TCP does after a
   * broken path has healed, and reads no more than 1 MiB meanwhile. `"drop"` throws them away: afterwards the
   * connection has a hole in it that no protocol survives, so it is for peers that must give up before. Default
   * `"deliver"`.
   */
  readonly bytes?: "deliver" | "drop";
}

/** How {@link FaultProxy.throttle} limits. */
export interface ThrottleOptions extends OneWay {
  /** Bandwidth of each connection, each way, in bytes per second. */
  readonly bytesPerSecond: number;
}

/** How {@link FaultProxy.slice} cuts. */
export interface SliceOptions extends OneWay {
  /** Largest write in bytes. */
  readonly bytes: number;
  /** Pause in ms between two writes. With 0 the reader may get several of them in one piece. Default 1. */
  readonly gapMs?: number;
}

/** @throws `ERR_SLUICE_INVALID_ARGUMENT` naming the option. */
export function latencyCondition({ delayMs, jitterMs = 0, direction }: LatencyOptions): Condition {
  assertFrom(0, "delayMs", delayMs);
  assertFrom(0, "jitterMs", jitterMs);
  return { ways: waysOf(direction), latency: { delayMs, jitterMs } };
}

/** @throws `ERR_SLUICE_INVALID_ARGUMENT` naming the option. */
export function blackholeCondition({ bytes = "deliver", direction }: BlackholeOptions): Condition {
  if (bytes !== "deliver" && bytes !== "drop") throw new InvalidArgumentError("bytes", '"deliver" or "drop"', bytes);
  return { ways: waysOf(direction), hold: bytes };
}

/** @throws `ERR_SLUICE_INVALID_ARGUMENT` naming the option. */
export function throttleCondition({ bytesPerSecond, direction }: ThrottleOptions): Condition {
  assertFrom(1, "bytesPerSecond", bytesPerSecond);
  return { ways: waysOf(direction), bytesPerSecond };
}

/** @throws `ERR_SLUICE_INVALID_ARGUMENT` naming the option. */
export function sliceCondition({ bytes, gapMs = 1, direction }: SliceOptions): Condition {
  if (!(Number.isSafeInteger(bytes) && bytes >= 1))
    throw new InvalidArgumentError("bytes", "a whole number from 1", bytes);
  assertFrom(0, "gapMs", gapMs);
  return { ways: waysOf(direction), slice: { bytes, gapMs } };
}

/** @throws `ERR_SLUICE_INVALID_ARGUMENT` naming the option. */
export function halfOpenCondition({ direction }: OneWay): Condition {
  return { ways: waysOf(direction), hidesEnds: true };
}

function waysOf(direction: Direction | undefined): readonly Direction[] {
  if (direction === undefined) return directions;
  if (!directions.includes(direction))
    throw new InvalidArgumentError("direction", '"requests" or "replies"', direction);
  return [direction];
}

function assertFrom(least: number, argument: string, value: number): void {
  if (!(Number.isFinite(value) && value >= least)) {
    throw new InvalidArgumentError(argument, `a finite number from ${least}`, value);
  }
}
