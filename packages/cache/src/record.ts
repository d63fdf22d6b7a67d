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

/** A record as it lies in bytes. What nobody asks for is not decoded. */
export class EncodedRecord implements StoredRecord {
  readonly #bytes: Buffer;
  readonly #flags: number;
  readonly #stampsAt: number;
  readonly #tagsAt: number;
  readonly #payloadAt: number;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.#flags = bytes[3] ?? 0;
    this.#stampsAt = fixedLength + bytes.readUInt16BE(44);
    this.#tagsAt = this.#stampsAt + bytes.readUInt16BE(46);
    this.#payloadAt = this.#tagsAt + bytes.readUInt16BE(48);
  }

  /** Whether these are all the bytes of a record, and of a kind that is known. */
  get isWhole(): boolean {
    const isKnown = (this.#flags & 0x0f) < packings.length;
    return isKnown && this.#bytes.length === this.wholeLength;
  }

  /** How many bytes hold all but tags and payload. */
  get headLength(): number {
    return this.#tagsAt;
  }

  /** How many bytes all of it has, whether they are all here or not. */
  get wholeLength(): number {
    return this.#payloadAt + this.#bytes.readUInt32BE(36);
  }

  /** Whether it says that it is this, and that it stands on these: in one comparison, as every hit asks. */
  says(identity: string, stamps: string): boolean {
    if (this.#stampsAt !== fixedLength + identity.length) return false;
    return this.#bytes.toString("latin1", fixedLength, this.#tagsAt) === identity + stamps;
  }

  get id(): string {
    return this.#bytes.toString("latin1", idAt, idAt + idLength);
  }

  get packing(): Packing {
    return packings[this.#flags & 0x0f] ?? "plain";
  }

  get negative(): boolean {
    return (this.#flags & isNegative) !== 0;
  }

  get storedMs(): number {
    return this.#bytes.readDoubleBE(16);
  }

  get freshUntilMs(): number {
    return this.#bytes.readDoubleBE(24);
  }

  get loadMs(): number {
    return this.#bytes.readUInt32BE(32);
  }

  get unpackedLength(): number {
    return this.#bytes.readUInt32BE(40);
  }

  get identity(): string {
    return this.#bytes.toString("latin1", fixedLength, this.#stampsAt);
  }

  get stamps(): string {
    return this.#bytes.toString("latin1", this.#stampsAt, this.#tagsAt);
  }

  get tags(): string {
    return this.#bytes.toString("latin1", this.#tagsAt, this.#payloadAt);
  }

  get payload(): Buffer {
    return this.#bytes.subarray(this.#payloadAt);
  }

  /** The payload as the text that it is in UTF-8, if it is. */
  get text(): string {
    return this.#bytes.toString("utf8", this.#payloadAt);
  }

  /** Length of all of it. */
  get length(): number {
    return this.#bytes.length;
  }
}

/** Reads a record; undefined when the bytes are none, or not all of one. */
export function decodeRecord(bytes: Uint8Array): EncodedRecord | undefined {
  const record = decodeHead(bytes);
  return record?.isWhole ? record : undefined;
}

/** Reads a record whose end may be cut off; undefined when the bytes are none. */
export function decodeHead(bytes: Uint8Array): EncodedRecord | undefined {
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.length < fixedLength || buffer.readInt32BE(0) >> 8 !== magic) return undefined;
  return new EncodedRecord(buffer);
}

/** The bytes by which a store tells whether a record is still the one that was seen; empty for none. */
export function seenId(record: Uint8Array | null): Uint8Array {
  return record === null ? new Uint8Array() : record.subarray(idAt, idAt + idLength);
}
