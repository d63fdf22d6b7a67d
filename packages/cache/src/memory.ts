import { InvalidArgumentError, systemClock, systemRandom, type Clock, type Random } from "@sluice/core";
import { LRUCache } from "lru-cache";

import { makeToken, nextGeneration } from "./generation.ts";
import { seenId } from "./record.ts";
import type { Bump, CacheStore, Claim, Claimed, Pushes, PushListener, Put, Snapshot, Wanted } from "./store.ts";

/** Options of {@link memoryStore}. */
export interface MemoryStoreOptions {
  /** Most bytes of all that is stored, keys included. Default 64 MiB. */
  readonly maxBytes?: number;
  /** Default: this machine's. */
  readonly clock?: Clock;
  /** Default: this machine's. */
  readonly random?: Random;
}

/**
 * The store of a single process: the least recently used goes first. It is the model of the others, and loses any key
 * as they may.
 */
export function memoryStore(options: MemoryStoreOptions = {}): CacheStore {
  return new MemoryStore(options);
}

interface Kept<Value> {
  readonly value: Value;
  readonly untilMs: number;
}

interface Lease {
  /** Undefined: the key was dropped lately. */
  readonly holder: string | undefined;
  readonly token: string;
  readonly id: string;
}

// What an entry takes beside its key and its bytes.
const overhead = 200;

// Of the bytes, so much is for records, and the rest for generations and leases.
const recordShare = 0.8;

function sizeOf({ value }: Kept<Uint8Array>, key: string): number {
  return value.length + key.length + overhead;
}

function sizeOfKey(_: unknown, key: string): number {
  return key.length + overhead;
}

class MemoryStore implements CacheStore {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #records: LRUCache<string, Kept<Uint8Array>>;
  readonly #generations: LRUCache<string, Kept<string>>;
  readonly #leases: LRUCache<string, Kept<Lease>>;
  readonly #listeners = new Set<PushListener>();
  // Wall time may step, and lifetimes must not follow it.
  readonly #offsetMs: number;
  #lastMicroseconds = 0;

  constructor({ maxBytes = 2 ** 26, clock = systemClock, random = systemRandom }: MemoryStoreOptions) {
    if (!(Number.isSafeInteger(maxBytes) && maxBytes >= 4096)) {
      throw new InvalidArgumentError("maxBytes", "a whole number from 4096", maxBytes);
    }
    this.#clock = clock;
    this.#random = random;
    this.#offsetMs = clock.now() - clock.monotonic();
    const rest = Math.floor((maxBytes * (1 - recordShare)) / 2);
    this.#records = new LRUCache({ maxSize: Math.floor(maxBytes * recordShare), sizeCalculation: sizeOf });
    this.#generations = new LRUCache<string, Kept<string>>({ maxSize: rest, sizeCalculation: sizeOfKey });
    this.#leases = new LRUCache<string, Kept<Lease>>({ maxSize: rest, sizeCalculation: sizeOfKey });
  }

  now(): number {
    return this.#offsetMs + this.#clock.monotonic();
  }

  async read({ key, generations }: Wanted): Promise<Snapshot> {
    return {
      record: key === undefined ? null : (this.#alive(this.#records.get(key)) ?? null),
      generations: generations.map((each) => this.#alive(this.#generations.get(each)) ?? null),
    };
  }

  async mint(generations: readonly string[], keepMs: number): Promise<readonly string[]> {
    return generations.map((key) => {
      const value = this.#alive(this.#generations.get(key)) ?? this.#token();
      this.#generations.set(key, { value, untilMs: this.#until(keepMs) });
      return value;
    });
  }

  async acquire({ key, holder, token, leaseMs, seen }: Claim): Promise<Claimed> {
    const present = seenId(this.#alive(this.#records.get(key)) ?? null);
    if (Buffer.compare(present, seen) !== 0) return { state: "changed" };
    const lease = this.#alive(this.#leases.get(key));
    if (!lease) return this.#granted({ key, holder, token, leaseMs }, 0);
    if (lease.holder === holder) return { state: "granted", lease: lease.id, settleMs: 0 };
    const leftMs = (this.#leases.get(key)?.untilMs ?? 0) - this.#clock.monotonic();
    if (lease.holder === undefined) return this.#granted({ key, holder, token, leaseMs }, leftMs);
    if (token <= lease.token) return { state: "held", holder: lease.holder, leftMs };
    return this.#granted({ key, holder, token, leaseMs }, 0);
  }

  async put({ key, lease, record, keepMs }: Put): Promise<boolean> {
    if (this.#alive(this.#leases.get(key))?.id !== lease) return false;
    this.#leases.delete(key);
    this.#records.set(key, { value: record, untilMs: this.#until(keepMs) });
    return true;
  }

  async renew(key: string, lease: string, leaseMs: number): Promise<boolean> {
    const value = this.#alive(this.#leases.get(key));
    if (value?.id !== lease) return false;
    this.#leases.set(key, { value, untilMs: this.#until(leaseMs) });
    return true;
  }

  async release(key: string, holder: string): Promise<void> {
    if (this.#alive(this.#leases.get(key))?.holder === holder) this.#leases.delete(key);
  }

  async drop(key: string, settleMs: number): Promise<number> {
    this.#records.delete(key);
    this.#leases.delete(key);
    const mark = { value: { holder: undefined, token: "", id: "" }, untilMs: this.#until(settleMs) };
    if (settleMs > 0) this.#leases.set(key, mark);
    this.#announce(key);
    return this.now();
  }

  async bump({ generations, keepMs, maxStaleMs }: Bump): Promise<string> {
    const token = this.#token();
    for (const key of generations) {
      const value = nextGeneration(this.#alive(this.#generations.get(key)), token, maxStaleMs);
      this.#generations.set(key, { value, untilMs: this.#until(keepMs) });
      this.#announce(key);
    }
    return token;
  }

  async listen(listener: PushListener): Promise<Pushes> {
    const clock = this.#clock;
    this.#listeners.add(listener);
    return {
      live: true,
      get deliveredUpToMs() {
        return clock.monotonic();
      },
      close: async () => void this.#listeners.delete(listener),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listeners.clear();
  }

  #granted({ key, holder, token, leaseMs }: Omit<Claim, "seen">, settleMs: number): Claimed {
    const id = this.#token();
    this.#leases.set(key, { value: { holder, token, id }, untilMs: this.#until(leaseMs) });
    return { state: "granted", lease: id, settleMs };
  }

  #alive<Value>(kept: Kept<Value> | undefined): Value | undefined {
    return kept !== undefined && this.#clock.monotonic() < kept.untilMs ? kept.value : undefined;
  }

  #until(ms: number): number {
    return this.#clock.monotonic() + ms;
  }

  #token(): string {
    // Two of one moment would not tell which is newer.
    this.#lastMicroseconds = Math.max(this.#lastMicroseconds + 1, Math.floor(this.now() * 1000));
    return makeToken(this.#lastMicroseconds, Buffer.from(this.#random.bytes(6)).toString("base64url"));
  }

  #announce(key: string): void {
    for (const listener of this.#listeners) listener.onPush(key);
  }
}
