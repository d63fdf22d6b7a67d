import type { Redis } from "@sluice/redis";

import { decodeHead, type EncodedRecord } from "../../record.ts";

/** What is under a key: a record, whose payload may be cut off; `foreign` bytes; or nothing. */
export type Head = EncodedRecord | "foreign" | "absent";

// Enough for the keys of this package. A format of the application's may tell more of its parameters.
const usualLength = 1024;

/** Reads the head of a record under a key that holds text. One round trip, or two for a long one. */
export async function readHead(redis: Redis, key: string): Promise<Head> {
  const first = await bytesOf(redis, key, usualLength);
  const length = decodeHead(first)?.headLength ?? 0;
  const bytes = length > first.length ? await bytesOf(redis, key, length) : first;
  if (bytes.length === 0) return "absent";
  const record = decodeHead(bytes);
  return record && record.headLength <= bytes.length ? record : "foreign";
}

async function bytesOf(redis: Redis, key: string, length: number): Promise<Uint8Array> {
  return (await redis.read("GETRANGE", [key, 0, length - 1], { bytes: true })) as Uint8Array;
}
