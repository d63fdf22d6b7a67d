import { systemRandom, type Random } from "@sluice/core";

// Asking the system for random bytes costs more than all the rest, so bytes for many are drawn at once.
const drawn = 128;

class Uuids {
  readonly #random: Random;
  #bytes = new Uint8Array();
  #offset = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  next(): string {
    if (this.#offset === this.#bytes.length) {
      this.#bytes = this.#random.bytes(drawn * 16);
      this.#offset = 0;
    }
    const start = this.#offset;
    this.#offset += 16;
    this.#set(start + 6, 0x40, 0x0f);
    this.#set(start + 8, 0x80, 0x3f);
    const [a, b, c] = [this.#hex(start, 4), this.#hex(start + 4, 2), this.#hex(start + 6, 2)];
    return `${a}-${b}-${c}-${this.#hex(start + 8, 2)}-${this.#hex(start + 10, 6)}`;
  }

  #set(index: number, bits: number, kept: number): void {
    this.#bytes[index] = ((this.#bytes[index] ?? 0) & kept) | bits;
  }

  #hex(start: number, length: number): string {
    let text = "";
    for (let index = start; index < start + length; index += 1) text += hex[this.#bytes[index] ?? 0];
    return text;
  }
}

const hex = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));
const sources = new WeakMap<Random, Uuids>();

/** A random UUID, version 4 (RFC 9562, 5.4). It names something; it is no secret. */
export function uuid(random: Random): string {
  // The system's own takes a tenth of the time.
  if (random === systemRandom) return crypto.randomUUID();
  let uuids = sources.get(random);
  if (!uuids) sources.set(random, (uuids = new Uuids(random)));
  return uuids.next();
}
