// Fractional parts of the square and cube roots of the first primes, as FIPS 180-4 defines them.
const primes = firstPrimes(64);
const initial = Int32Array.from(primes.slice(0, 8), (prime) => fraction(Math.sqrt(prime)) | 0);
const constants = Int32Array.from(primes, (prime) => fraction(Math.cbrt(prime)) | 0);

/**
 * SHA-256 of a text in UTF-8, in base64url. Here because Web Crypto cannot answer at once and `node:crypto` is not on
 * edge runtimes. For shortening names, not for passwords.
 *
 * Source: {@link https://nvlpubs.nist.gov/nistpubs/FIPS/NIST.FIPS.180-4.pdf | FIPS 180-4}, 6.2.
 */
export function sha256(text: string): string {
  const message = padded(new TextEncoder().encode(text));
  const hash = Int32Array.from(initial);
  const words = new Int32Array(64);
  for (let block = 0; block < message.byteLength; block += 64) {
    schedule(words, message, block);
    compress(hash, words);
  }
  const bytes = new DataView(new ArrayBuffer(32));
  for (const [index, word] of hash.entries()) bytes.setInt32(index * 4, word);
  const binary = String.fromCharCode(...new Uint8Array(bytes.buffer));
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function padded(bytes: Uint8Array): DataView {
  const length = Math.ceil((bytes.length + 9) / 64) * 64;
  const message = new Uint8Array(length);
  message.set(bytes);
  message[bytes.length] = 0x80;
  const view = new DataView(message.buffer);
  view.setUint32(length - 8, Math.floor(bytes.length / 2 ** 29));
  view.setUint32(length - 4, bytes.length * 8);
  return view;
}

function schedule(words: Int32Array, message: DataView, block: number): void {
  for (let index = 0; index < 16; index += 1) words[index] = message.getInt32(block + index * 4);
  for (let index = 16; index < 64; index += 1) {
    const early = at(words, index - 15);
    const late = at(words, index - 2);
    const mixedEarly = rotate(early, 7) ^ rotate(early, 18) ^ (early >>> 3);
    const mixedLate = rotate(late, 17) ^ rotate(late, 19) ^ (late >>> 10);
    words[index] = at(words, index - 16) + mixedEarly + at(words, index - 7) + mixedLate;
  }
}

// The eight words of the hash are the newest four of each of two sequences, a and e, so each round adds one to each.
function compress(hash: Int32Array, words: Int32Array): void {
  const as = new Int32Array(68);
  const es = new Int32Array(68);
  for (let index = 0; index < 4; index += 1) {
    as[index] = at(hash, 3 - index);
    es[index] = at(hash, 7 - index);
  }
  for (let round = 4; round < 68; round += 1) {
    const a = at(as, round - 1);
    const e = at(es, round - 1);
    const chosen = (e & at(es, round - 2)) ^ (~e & at(es, round - 3));
    const majority = (a & at(as, round - 2)) ^ (a & at(as, round - 3)) ^ (at(as, round - 2) & at(as, round - 3));
    const mixedE = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const mixedA = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    const sum = (at(es, round - 4) + mixedE + chosen + at(constants, round - 4) + at(words, round - 4)) | 0;
    es[round] = at(as, round - 4) + sum;
    as[round] = sum + mixedA + majority;
  }
  for (let index = 0; index < 4; index += 1) {
    hash[index] = at(hash, index) + at(as, 67 - index);
    hash[index + 4] = at(hash, index + 4) + at(es, 67 - index);
  }
}

function at(words: Int32Array, index: number): number {
  return words[index] ?? 0;
}

function rotate(word: number, by: number): number {
  return (word >>> by) | (word << (32 - by));
}

function firstPrimes(count: number): number[] {
  const found: number[] = [];
  for (let candidate = 2; found.length < count; candidate += 1) {
    if (found.every((prime) => candidate % prime !== 0)) found.push(candidate);
  }
  return found;
}

function fraction(root: number): number {
  return Math.floor((root - Math.floor(root)) * 2 ** 32);
}
