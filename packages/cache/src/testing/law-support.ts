import assert from "node:assert/strict";

import { encodeRecord } from "../record.ts";
import type { CacheStore, Claim, Claimed } from "../store.ts";

/** A store to check, and what a law needs besides. */
export interface CacheStoreSubject {
  readonly store: CacheStore;
  /** Begins every key of this law, so that laws may share a server. Letters, digits and colons. */
  readonly prefix: string;
  /** Lets so much time pass for the store. */
  readonly pass: (ms: number) => Promise<void>;
}

/** A sentence that holds for every store, and the check that tries to refute it. */
export interface CacheStoreLaw {
  readonly title: string;
  check(subject: CacheStoreSubject): Promise<void>;
}

/** Long enough for any law. */
export const keepMs = 60_000;
/** What a claim has seen that has seen no record. */
export const none = new Uint8Array();

/** A record as a load with this id stores it. */
export function recordOf(id: string, payload = "1"): Uint8Array {
  return encodeRecord({
    id,
    packing: "plain",
    negative: false,
    storedMs: 0,
    freshUntilMs: 1,
    loadMs: 1,
    unpackedLength: payload.length,
    identity: "law",
    stamps: "",
    tags: "",
    payload: Buffer.from(payload),
  });
}

/** Two loads. */
export const first = "loadAAAAAAAA";
export const second = "loadBBBBBBBB";

/** The keys of a law. */
export function keysOf(prefix: string) {
  return { key: `${prefix}:k`, gen: `sl:{${prefix}}:g`, tag: `sl:{${prefix}}:t:1` };
}

/** The token of a law's generation. */
export async function tokenFor({ store, prefix }: CacheStoreSubject): Promise<string> {
  return (await store.mint([keysOf(prefix).gen], keepMs))[0] ?? "";
}

/** What becomes of a load's claim. */
export async function claimOf(subject: CacheStoreSubject, holder: string, rest: Partial<Claim> = {}): Promise<Claimed> {
  const { key } = keysOf(subject.prefix);
  const token = rest.token ?? (await tokenFor(subject));
  return subject.store.acquire({ key, holder, leaseMs: keepMs, seen: none, ...rest, token });
}

/** The record that is stored. */
export async function recordIn({ store, prefix }: CacheStoreSubject): Promise<Uint8Array | null> {
  return (await store.read({ key: keysOf(prefix).key, generations: [] })).record;
}

/** The lease that a load is granted. */
export async function leaseOf(subject: CacheStoreSubject, holder: string, rest: Partial<Claim> = {}): Promise<string> {
  const claimed = await claimOf(subject, holder, rest);
  return claimed.state === "granted" ? claimed.lease : assert.fail(`${holder} was not granted: ${claimed.state}`);
}

/** Stores the record of the first load. */
export async function storeFirst(subject: CacheStoreSubject): Promise<void> {
  const lease = await leaseOf(subject, first);
  const { key } = keysOf(subject.prefix);
  assert.equal(await subject.store.put({ key, lease, record: recordOf(first), keepMs }), true);
}
