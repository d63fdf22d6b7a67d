// What is stored under a key. All numbers big-endian:
//   0  "SL", version 1, flags
//   4  id of the load that stored it, 12 characters
//  16  when it was stored, ms as float64     24  until when it is fresh, ms as float64
//  32  how long its load took, ms            36  length of the payload       40  its length when unpacked
//  44  length of the identity                46  length of the stamps        48  length of the tags
//  50  identity, stamps, tags, payload
const magic = 0x534c01;
const fixedLength = 50;
const idAt = 4;

/** Length of a record's id: that of the load which stored it. */
export const idLength = 12;

/** How a payload is packed. */
export type Packing = "plain" | "gzip" | "zstd";

const packings: readonly Packing[] = ["plain", "gzip", "zstd"];
const isNegative = 0x10;

/** What a record says about its payload. */
export interface RecordHead {
  readonly id: string;
  readonly packing: Packing;
  /** The value is null: what was asked for does not exist. */
  readonly negative: boolean;
  readonly storedMs: number;
  readonly freshUntilMs: number;
  readonly loadMs: number;
  /** The unpacked payload's length in bytes. */
  readonly unpackedLength: number;
  /** Scope and parameters in full: two of them may share a hashed key. */
  readonly identity: string;
  /** One per generation of the key. */
  readonly stamps: string;
  /** Key and stamp of each tag, in turn. */
  readonly tags: string;
}

/** A stored value with its head. */
export interface StoredRecord extends RecordHead {
  readonly payload: Buffer;
}

/** Lays a record out in bytes. */
export function encodeRecord(record: StoredRecord): Buffer {
  const { identity, stamps, tags, payload } = record;
  const bytes = Buffer.allocUnsafe(fixedLength + identity.length + stamps.length + tags.length + payload.length);
  bytes.writeUIntBE(magic, 0, 3);
  bytes.writeUInt8(packings.indexOf(record.packing) | (record.negative ? isNegative : 0), 3);
  bytes.write(record.id, idAt, "latin1");
  bytes.writeDoubleBE(record.storedMs, 16);
  bytes.writeDoubleBE(record.freshUntilMs, 24);
  bytes.writeUInt32BE(Math.min(0xffffffff, Math.round(record.loadMs)), 32);
  bytes.writeUInt32BE(payload.length, 36);
  bytes.writeUInt32BE(record.unpackedLength, 40);
  let at = fixedLength;
  for (const [place, text] of [
    [44, identity],
    [46, stamps],
    [48, tags],
  ] as const) {
    bytes.writeUInt16BE(text.length, place);
    bytes.write(text, at, "latin1");
    at += text.length;
  }
  payload.copy(bytes, at);
  return bytes;
}

/** Reads a record; undefined when the bytes are none, or not all of one. */
export function decodeRecord(bytes: Uint8Array): StoredRecord | undefined {
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.length < fixedLength || buffer.readUIntBE(0, 3) !== magic) return undefined;
  const flags = buffer.readUInt8(3);
  const packing = packings[flags & 0x0f];
  const stampsAt = fixedLength + buffer.readUInt16BE(44);
  const tagsAt = stampsAt + buffer.readUInt16BE(46);
  const payloadAt = tagsAt + buffer.readUInt16BE(48);
  if (packing === undefined || buffer.length !== payloadAt + buffer.readUInt32BE(36)) return undefined;
  return {
    id: buffer.toString("latin1", idAt, idAt + idLength),
    packing,
    negative: (flags & isNegative) !== 0,
    storedMs: buffer.readDoubleBE(16),
    freshUntilMs: buffer.readDoubleBE(24),
    loadMs: buffer.readUInt32BE(32),
    unpackedLength: buffer.readUInt32BE(40),
    identity: buffer.toString("latin1", fixedLength, stampsAt),
    stamps: buffer.toString("latin1", stampsAt, tagsAt),
    tags: buffer.toString("latin1", tagsAt, payloadAt),
    payload: buffer.subarray(payloadAt),
  };
}

/** The bytes by which a store tells whether a record is still the one that was seen; empty for none. */
export function seenId(record: Uint8Array | null): Uint8Array {
  return record === null ? new Uint8Array() : record.subarray(idAt, idAt + idLength);
}
