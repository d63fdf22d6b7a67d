/**
 * Where records and generations live. Every method is one atomic step, and safe to run twice: a store may lose any
 * key at any time, and answers may be late or never come. All that a store can cost is a load.
 *
 * A **generation** says what state of the world a record was loaded in. Its value is never used again once replaced.
 * A **lease** is the right to store what one load returns; an invalidation takes it away.
 */
export interface CacheStore extends AsyncDisposable {
  /** The store's time in ms since the epoch, as well as it is known here. Ages and lifetimes are counted by it. */
  now(): number;
  /** The record under a key and the values of generations. One round trip, shared with all reads of this turn. */
  read(wanted: Wanted): Promise<Snapshot>;
  /** The values of generations, each made first where it is absent, and all kept alive. One atomic step. */
  mint(generations: readonly string[], keepMs: number): Promise<readonly string[]>;
  /** Takes the lease of a key for a load, unless another load has it that is not older. */
  acquire(claim: Claim): Promise<Claimed>;
  /** Lets a lease last so much longer from now on. False when it is no longer this load's. */
  renew(key: string, lease: string, leaseMs: number): Promise<boolean>;
  /** Stores a record and ends the lease. False, with nothing done, when the lease is no longer this load's. */
  put(entry: Put): Promise<boolean>;
  /** Ends a lease, if it still is this load's. */
  release(key: string, holder: string): Promise<void>;
  /** Removes a record and ends any lease, so that no load underway is stored. Announced. Answers the store's time. */
  drop(key: string, settleMs: number): Promise<number>;
  /** Replaces the values of generations, in order and as one step. Announced. Answers the new token. */
  bump(bump: Bump): Promise<string>;
  /** Hears of what others invalidate. Absent where nothing is announced. */
  listen?(listener: PushListener): Promise<Pushes>;
  /** Calls back after the way to the store was lost and is there again: it may have forgotten what it had confirmed. */
  onReconnect?(listener: () => void): () => void;
}

/** What {@link CacheStore.read} is to read. */
export interface Wanted {
  /** The key of a record; absent to read generations alone. */
  readonly key?: string;
  /** Keys of generations. */
  readonly generations: readonly string[];
  /** `key` and `generations` in this order, where the caller has them at hand: to spare making them. */
  readonly keys?: readonly string[];
}

/** What was there at one moment, or at neighbouring moments: the algorithm does not mind which. */
export interface Snapshot {
  /** The record's bytes; null when there is none, or something else. */
  readonly record: Uint8Array | null;
  /** The values of the generations, in the order in which they were asked for. */
  readonly generations: readonly (string | null)[];
}

/** A load's claim to a lease. */
export interface Claim {
  readonly key: string;
  /** Names the load: 12 letters, digits, `-` or `_`, never used before. */
  readonly holder: string;
  /** The newest token that the load stands on. A lease with an older one is taken over. */
  readonly token: string;
  readonly leaseMs: number;
  /** The id of the record that was seen, as bytes; empty when there was none. */
  readonly seen: Uint8Array;
}

/** What became of a claim. */
export type Claimed =
  /**
   * The lease is this load's: `lease` names it, and is never used again, so that nothing that arrives late can pass
   * for it. `settleMs`: how much longer a recent drop calls for short lifetimes; usually 0.
   */
  | { readonly state: "granted"; readonly lease: string; readonly settleMs: number }
  /** Another load has it. */
  | { readonly state: "held"; readonly holder: string; readonly leftMs: number }
  /** The record is no longer the one that was seen. */
  | { readonly state: "changed" };

/** A record to store. */
export interface Put {
  readonly key: string;
  /** As it was granted. */
  readonly lease: string;
  readonly record: Uint8Array;
  /** How long the store keeps it, in ms. */
  readonly keepMs: number;
}

/** An invalidation of generations. */
export interface Bump {
  /** Keys of generations, all of one family. */
  readonly generations: readonly string[];
  readonly keepMs: number;
  /** Lets records of the generation before be served for this long while they are reloaded. Absent: not at all. */
  readonly maxStaleMs?: number;
}

/** What {@link CacheStore.listen} reports. */
export interface PushListener {
  /** A record was dropped or a generation replaced: its key. */
  readonly onPush: (key: string) => void;
  /** Announcements may have been missed. */
  readonly onDoubt: () => void;
}

/** A live interest in announcements. */
export interface Pushes {
  /** Whether announcements arrive now, as far as known. */
  readonly live: boolean;
  /** Every announcement made before this moment of the monotonic clock has been delivered; -Infinity in doubt. */
  readonly deliveredUpToMs: number;
  close(): Promise<void>;
}
