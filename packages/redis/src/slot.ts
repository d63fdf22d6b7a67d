import { RedisCrossSlotError } from "./errors.ts";

const slots = 16_384;

// CRC-16/XMODEM: polynomial 0x1021, initial value 0.
const table = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
  return crc & 0xffff;
});
const encoder = new TextEncoder();

/**
 * The hash slot of a key: of its hash tag if it has one, else of the whole key.
 *
 * Source: {@link https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/ | Redis Cluster
 * specification}, "Hash tags".
 */
export function slotOf(key: string): number {
  const open = key.indexOf("{");
  const close = open < 0 ? -1 : key.indexOf("}", open + 1);
  const hashed = close > open + 1 ? key.slice(open + 1, close) : key;
  let crc = 0;
  for (let index = 0; index < hashed.length; index += 1) {
    const unit = hashed.charCodeAt(index);
    if (unit > 127) return checksum(encoder.encode(hashed)) % slots;
    crc = ((crc << 8) & 0xffff) ^ (table[(crc >> 8) ^ unit] ?? 0);
  }
  return crc % slots;
}

function checksum(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) crc = ((crc << 8) & 0xffff) ^ (table[(crc >> 8) ^ byte] ?? 0);
  return crc;
}

/**
 * The slot that all the keys share, or undefined when there is none.
 *
 * @throws `ERR_SLUICE_REDIS_CROSS_SLOT` naming two keys of different slots.
 */
export function commonSlot(keys: readonly string[]): number | undefined {
  const [first, ...rest] = keys;
  if (first === undefined) return undefined;
  const slot = slotOf(first);
  for (const key of rest) if (slotOf(key) !== slot) throw new RedisCrossSlotError([first, key]);
  return slot;
}

let tags: string[] | undefined;

/** A hash tag, braces included, that puts a key into the given slot. The first call takes some milliseconds. */
export function tagOf(slot: number): string {
  tags ??= allTags();
  return tags[slot] ?? "";
}

function allTags(): string[] {
  const found: string[] = [];
  for (let candidate = 0, left = slots; left > 0; candidate += 1) {
    const slot = slotOf(candidate.toString(36));
    if (found[slot] !== undefined) continue;
    found[slot] = `{${candidate.toString(36)}}`;
    left -= 1;
  }
  return found;
}
