import { InvalidArgumentError } from "./errors.ts";

/** Where chance comes from. Jitter, sampling and tokens draw from here, so a test can replay them. */
export interface Random {
  /** Uniform in [0, 1), with 53 random bits. */
  float(): number;
  /**
   * Uniform whole number in [`from`, `below`). No number is likelier than another by more than 1 in 2^53.
   *
   * @throws `ERR_SLUICE_INVALID_ARGUMENT` unless both are safe integers, in order and at most 2^53 - 1 apart.
   */
  integer(from: number, below: number): number;
  /**
   * `length` random bytes. Only those of {@link systemRandom} are fit for secrets.
   *
   * @throws `ERR_SLUICE_INVALID_ARGUMENT` unless `length` is a whole number from 0 to 65,536.
   */
  bytes(length: number): Uint8Array<ArrayBuffer>;
}

// The most that crypto.getRandomValues fills in one call.
const mostBytes = 65_536;

/** Cryptographic randomness of this machine, through Web Crypto. Fit for tokens. */
export const systemRandom: Random = fromWords(
  () => {
    const [high = 0, low = 0] = crypto.getRandomValues(new Uint32Array(2));
    return [high, low];
  },
  (bytes) => crypto.getRandomValues(bytes),
);

/**
 * A repeatable source: the same seed gives the same sequence on every machine. Never use it for secrets.
 *
 * Algorithm: xoshiro128** ({@link https://prng.di.unimi.it/xoshiro128starstar.c | Blackman and Vigna}), its state
 * filled from the seed by SplitMix32.
 *
 * @param seed - A safe integer. Different seeds give different sequences.
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` for any other seed.
 * @example
 * ```ts
 * import { seededRandom } from "@sluice/core";
 *
 * const dice = seededRandom(42);
 * [dice.integer(1, 7), dice.integer(1, 7), dice.integer(1, 7)]; // => [3, 3, 6]
 * ```
 */
export function seededRandom(seed: number): Random {
  if (!Number.isSafeInteger(seed)) throw new InvalidArgumentError("seed", "a safe integer", seed);
  const next = xoshiro128([seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0]);
  return fromWords(
    () => [next(), next()],
    (bytes) => bytes.map(() => next() >>> 24),
  );
}

function xoshiro128([low, high]: readonly [number, number]): () => number {
  const mixLow = splitMix32(low);
  const mixHigh = splitMix32(high ^ 0x9e3779b9);
  let [a, b, c, d] = [mixLow(), mixHigh(), mixLow(), mixHigh()];
  return () => {
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotate(d, 11);
    return result;
  };
}

function splitMix32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  };
}

function rotate(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by));
}

type Bytes = Uint8Array<ArrayBuffer>;

function fromWords(words: () => readonly [number, number], fill: (bytes: Bytes) => Bytes): Random {
  const float = (): number => {
    const [high, low] = words();
    return ((high >>> 5) * 2 ** 26 + (low >>> 6)) / 2 ** 53;
  };
  return {
    float,
    integer(from, below) {
      if (!Number.isSafeInteger(from)) throw new InvalidArgumentError("from", "a safe integer", from);
      const span = Number.isSafeInteger(below) ? below - from : Number.NaN;
      if (!(span >= 1 && span <= Number.MAX_SAFE_INTEGER)) {
        throw new InvalidArgumentError("below", `a safe integer above ${from}, at most 2^53 - 1 above it`, below);
      }
      return from + Math.floor(float() * span);
    },
    bytes(length) {
      if (!(Number.isSafeInteger(length) && length >= 0 && length <= mostBytes)) {
        throw new InvalidArgumentError("length", `a whole number from 0 to ${mostBytes}`, length);
      }
      return fill(new Uint8Array(length));
    },
  };
}
