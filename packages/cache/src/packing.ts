import { promisify } from "node:util";
import * as zlib from "node:zlib";

import type { Packing } from "./record.ts";

// Absent before Node 22.15.
const hasZstd = typeof zlib.zstdCompressSync === "function";
const offThreadAbove = 65_536;

/** A payload, packed if that makes it smaller. Large ones are packed off the main thread. */
export async function pack(payload: Buffer): Promise<{ packing: Packing; payload: Buffer }> {
  const packing = hasZstd ? "zstd" : "gzip";
  const packed = await (payload.length > offThreadAbove ? packAside(payload) : packHere(payload));
  return packed.length < payload.length ? { packing, payload: packed } : { packing: "plain", payload };
}

/**
 * The payload that was packed.
 *
 * @param length - Its length as the record tells. What unpacks to more is refused before it fills the memory.
 * @throws when the bytes are damaged, or packed in a way that this runtime cannot read.
 */
export async function unpack(packing: Packing, payload: Buffer, length: number): Promise<Buffer> {
  if (packing === "plain") return payload;
  if (packing === "zstd" && !hasZstd) throw new Error("this runtime has no zstd");
  const options = { maxOutputLength: Math.max(1, length) };
  const unpacked = await (length > offThreadAbove
    ? unpackers[packing].aside(payload, options)
    : unpackers[packing].here(payload, options));
  if (unpacked.length !== length) throw new Error("the payload is cut off");
  return unpacked;
}

const unpackers = {
  gzip: { here: zlib.gunzipSync, aside: promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.gunzip) },
  zstd: {
    here: zlib.zstdDecompressSync,
    aside: (payload: Buffer, options: zlib.ZstdOptions) =>
      promisify<Buffer, zlib.ZstdOptions, Buffer>(zlib.zstdDecompress)(payload, options),
  },
} as const;

function packHere(payload: Buffer): Buffer {
  return hasZstd ? zlib.zstdCompressSync(payload) : zlib.gzipSync(payload, { level: 1 });
}

function packAside(payload: Buffer): Promise<Buffer> {
  return hasZstd
    ? promisify<Buffer, Buffer>(zlib.zstdCompress)(payload)
    : promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.gzip)(payload, { level: 1 });
}
