import type { Codec } from "./codec.ts";
import type { Family } from "./layout.ts";

/** What a scope's options amount to, checked. Times in ms. */
export interface Policy {
  readonly scope: string;
  readonly family: Family;
  readonly ttlMs: number;
  readonly negativeTtlMs: number;
  readonly jitter: number;
  readonly staleOnErrorMs: number;
  readonly staleWhileRevalidateMs: number;
  /** Of XFetch; 0 for none. */
  readonly earlyBeta: number;
  readonly loadTimeoutMs: number;
  /** How long a load may take before a stale value is served in its place; Infinity for ever. */
  readonly softTimeoutMs: number;
  readonly waitMs: number;
  readonly settleMs: number;
  readonly maxBytes: number;
  /** Payloads from this size on are packed; Infinity for none. */
  readonly compressFrom: number;
  readonly codec: Codec;
  /** Whether results may have tags. */
  readonly tagged: boolean;
}

/** One set of parameters, resolved to keys. */
export interface Plan {
  readonly key: string;
  /** What a record under the key must say it is. */
  readonly identity: string;
  /** The generations that the record stands on. With tags, that of any tag comes last. */
  readonly generations: readonly string[];
  /** All of them: what announcements are about. */
  readonly keys: readonly string[];
}
