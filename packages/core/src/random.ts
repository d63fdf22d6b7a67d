import { InvalidArgumentError } from "./errors.ts";

/** Where chance comes from. Jitter, sampling and tokens draw from here, so a test can replay them. */
export interface Random {
  /** Uniform in [0, 1), with 53 random bits. */
  float(): number;
  /** Uniform whole number in [`from`, `below`). */
  integer(from: number, below: number): number;
  /** `length` random bytes. Only {@link systemRandom} is fit for secrets. */
  bytes(length: number): Uint8Array<ArrayBuffer>;
}

/** Cryptographic randomness of this machine, through Web Crypto. Fit for tokens. */
export const systemRandom: Random = fromWords(() => {
  const [high = 0, low = 0] = crypto.getRandomValues(new Uint32Array(2));
  return [high, low];
});

/**
 * A repeatable source: the same seed gives the same sequence on every machine. Never use it for secrets.
 *
 * Algorithm: xoshiro128** ({@link https://prng.di.unimi.it/xoshiro128starstar.c | Blackman and Vigna}), its state
 * filled from the seed by SplitMix32.
 *
 * @param seed - A whole number; its low 53 bits count.
 */
export function seededRandom(seed: number): Random {
  if (!Number.isSafeInteger(seed)) throw new InvalidArgumentError("seed", "a safe integer", seed);
  const next = xoshiro128([seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0]);
  return fromWords(() => [next(), next()]);
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

function fromWords(words: () => readonly [number, number]): Random {
  const float = (): number => {
    const [high, low] = words();
    return ((high >>> 5) * 2 ** 26 + (low >>> 6)) / 2 ** 53;
  };
  return {
    float,
    integer(from, below) {
      if (!(Number.isSafeInteger(from) && Number.isSafeInteger(below) && below > from)) {
        throw new InvalidArgumentError("below", `a safe integer above ${from}`, below);
      }
      return from + Math.floor(float() * (below - from));
    },
    bytes(length) {
      const bytes = new Uint8Array(length);
      for (let index = 0; index < length; index += 1) bytes[index] = words()[0] >>> 24;
      return bytes;
    },
  };
}
