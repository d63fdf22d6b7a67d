import { InvalidArgumentError, systemRandom } from "@sluice/core";

/**
 * The seed of this test run: the environment variable `SLUICE_SEED`, or a fresh number below 2^31 that is put there,
 * so that processes started from here draw the same.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` when `SLUICE_SEED` is not a whole number from 0 to 2^53 - 1.
 */
export function testSeed(): number {
  const text = (process.env["SLUICE_SEED"] ??= String(systemRandom.integer(0, 2 ** 31)));
  const seed = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(seed)) {
    throw new InvalidArgumentError("SLUICE_SEED", "a whole number from 0 to 2^53 - 1", text);
  }
  return seed;
}

/** How a reader of a failure runs it again with the same chances. */
export function replayHint(seed: number): string {
  return `Replay with SLUICE_SEED=${seed}`;
}
