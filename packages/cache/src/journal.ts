import type { Clock } from "@sluice/core";

import { cacheEvents } from "./events.ts";
import { newestToken } from "./generation.ts";
import { keysOf, type InvalidationTarget } from "./target.ts";

/** An invalidation by this process. */
export interface Note {
  readonly target: InvalidationTarget;
  readonly atMs: number;
  /** What the store answered: the token of a generation, or its time at a drop. Undefined: it was not told yet. */
  readonly proof: string | number | undefined;
}

const mostNotes = 10_000;

/**
 * What this process has invalidated lately. Targets that the store was not told are poison here until it is. The
 * others show when a store has forgotten what it had confirmed, as after a failover. O(1) per key.
 */
export class Journal {
  readonly #clock: Clock;
  readonly #keepMs: number;
  // In the order of their age.
  readonly #notes = new Map<string, Note>();
  readonly #byKey = new Map<string, Note>();
  #waiting = 0;

  constructor(clock: Clock, keepMs: number) {
    this.#clock = clock;
    this.#keepMs = keepMs;
  }

  /** Targets that the store was not told yet. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Whether there is nothing to check reads against. */
  get isEmpty(): boolean {
    return this.#byKey.size === 0;
  }

  applied(target: InvalidationTarget, proof: Note["proof"]): void {
    this.#write(target, proof);
  }

  queued(target: InvalidationTarget): void {
    this.#write(target, undefined);
    if (this.#waiting > mostNotes) this.#collapse();
  }

  /** Whether the store was not told yet about one of the keys. */
  isPoisoned(keys: readonly string[]): boolean {
    if (this.#waiting === 0) return false;
    return keys.some((key) => {
      const note = this.#byKey.get(key);
      return note !== undefined && note.proof === undefined;
    });
  }

  /** Whether a generation has a value from before an invalidation that the store had confirmed. */
  hasLost(key: string, value: string | null): boolean {
    const proof = this.#byKey.get(key)?.proof;
    return typeof proof === "string" && value !== null && newestToken([value]) < proof;
  }

  /** Whether a record was loaded before a drop of its key that the store had confirmed. */
  outlived(key: string, beganMs: number): boolean {
    const proof = this.#byKey.get(key)?.proof;
    return typeof proof === "number" && beganMs < proof;
  }

  /** All notes that are not too old, and those that wait. */
  recent(): Note[] {
    this.#prune();
    return [...this.#notes.values()];
  }

  unapplied(): Note[] {
    return [...this.#notes.values()].filter(({ proof }) => proof === undefined);
  }

  #write(target: InvalidationTarget, proof: Note["proof"]): void {
    this.#remove(idOf(target));
    const note: Note = { target, atMs: this.#clock.monotonic(), proof };
    this.#notes.set(idOf(target), note);
    for (const key of keysOf(target)) this.#byKey.set(key, note);
    if (proof === undefined) this.#waiting += 1;
    this.#prune();
  }

  #remove(id: string): void {
    const note = this.#notes.get(id);
    if (!note) return;
    this.#notes.delete(id);
    if (note.proof === undefined) this.#waiting -= 1;
    for (const key of keysOf(note.target)) if (this.#byKey.get(key) === note) this.#byKey.delete(key);
  }

  #prune(): void {
    const oldestMs = this.#clock.monotonic() - this.#keepMs;
    for (const [id, { atMs, proof }] of this.#notes) {
      if (atMs > oldestMs && this.#notes.size - this.#waiting <= mostNotes) return;
      if (proof !== undefined) this.#remove(id);
    }
  }

  /** Puts a flush of their prefix in the place of all that wait: never more than there are prefixes. */
  #collapse(): void {
    const waiting = this.unapplied();
    for (const { target } of waiting) this.#remove(idOf(target));
    const families = new Set(waiting.map(({ target }) => target.family));
    for (const family of families) this.#write({ kind: "generation", generations: [family], family }, undefined);
    cacheEvents.publish({ type: "journal-overflow", dropped: waiting.length });
  }
}

function idOf(target: InvalidationTarget): string {
  return keysOf(target).join("\n");
}
