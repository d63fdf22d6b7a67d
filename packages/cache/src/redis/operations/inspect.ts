import type { Redis } from "@sluice/redis";

import { EncodedRecord, type Packing } from "../../record.ts";
import type { CacheStore } from "../../store.ts";
import { leaseOf } from "../store.ts";
import { readHead } from "./read-head.ts";
import { serverMs } from "./server-ms.ts";
import { standingsOf } from "./standings.ts";

/**
 * Whether a record can be read: `fresh`; `stale`, past its time or flushed softly; or `ended`, by a flush of its
 * prefix or its scope. What a group, a tag or a first segment has ended does not show.
 */
export type RecordState = "fresh" | "stale" | "ended";

/** What is under a key. */
export type Inspected =
  | { readonly kind: "absent" | "foreign"; readonly key: string; readonly loading: boolean }
  | {
      readonly kind: "record";
      readonly key: string;
      /** Whether a load holds the key's lease. */
      readonly loading: boolean;
      readonly state: RecordState;
      readonly scope: string;
      /** The parameters in full. */
      readonly of: string;
      readonly ageMs: number;
      /** How much longer it is fresh by its time; negative after that. */
      readonly freshMs: number;
      /** How much longer Redis keeps it. */
      readonly keptMs: number;
      readonly loadMs: number;
      readonly bytes: number;
      readonly unpackedBytes: number;
      readonly packing: Packing;
      /** What was asked for does not exist. */
      readonly negative: boolean;
    };

/** Looks at what is under a key. Its value is not read. */
export async function inspect(redis: Redis, store: Pick<CacheStore, "read">, key: string): Promise<Inspected> {
  const [type, lease] = await Promise.all([redis.read("TYPE", [key]), redis.read("GET", [leaseOf(key)])]);
  const loading = typeof lease === "string" && lease !== "-";
  if (type === "none") return { kind: "absent", key, loading };
  if (type !== "string") return { kind: "foreign", key, loading };
  const [record, keptMs] = await Promise.all([readHead(redis, key), redis.read("PTTL", [key])]);
  if (!(record instanceof EncodedRecord)) return { kind: record, key, loading };
  const nowMs = await serverMs(redis);
  const [stands] = await standingsOf(store, [{ key, record }], nowMs);
  const cut = record.identity.indexOf(" ");
  return {
    kind: "record",
    key,
    loading,
    state: stateOf({ stands, freshUntilMs: record.freshUntilMs, nowMs }),
    scope: record.identity.slice(0, cut),
    of: record.identity.slice(cut + 1),
    ageMs: Math.max(0, Math.round(nowMs - record.storedMs)),
    freshMs: Math.round(record.freshUntilMs - nowMs),
    keptMs: Number(keptMs),
    loadMs: record.loadMs,
    bytes: record.wholeLength,
    unpackedBytes: record.unpackedLength,
    packing: record.packing,
    negative: record.negative,
  };
}

/** The state of a record by its standing and its time. */
export function stateOf({ stands, freshUntilMs, nowMs }: StandingAndTime): RecordState {
  if (stands !== "fresh" && stands !== "softened") return "ended";
  return stands === "fresh" && nowMs < freshUntilMs ? "fresh" : "stale";
}

interface StandingAndTime {
  readonly stands: "fresh" | "softened" | "invalid" | undefined;
  readonly freshUntilMs: number;
  readonly nowMs: number;
}
