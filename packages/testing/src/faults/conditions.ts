import type { Random } from "@sluice/core";

import { directions, type Direction } from "./direction.ts";

/** One fault, as long as it is in force. */
export interface Condition {
  /** The ways that it is on. */
  readonly ways: readonly Direction[];
  readonly latency?: { readonly delayMs: number; readonly jitterMs: number };
  readonly hold?: "deliver" | "drop";
  readonly bytesPerSecond?: number;
  readonly slice?: { readonly bytes: number; readonly gapMs: number };
  readonly hidesEnds?: boolean;
}

/** What is in force on one way, all faults taken together. */
export interface LaneConditions {
  /** Whether bytes are delayed at all. */
  readonly delays: boolean;
  readonly holding: "deliver" | "drop" | undefined;
  /** Infinity without a limit. */
  readonly bytesPerSecond: number;
  /** Largest single write. Infinity without slicing. */
  readonly sliceBytes: number;
  readonly gapMs: number;
  readonly hidesEnds: boolean;
  /** Draws how long the bytes that arrive now are under way. */
  drawDelayMs(): number;
}

/** The faults that are in force. */
export interface Conditions {
  readonly requests: LaneConditions;
  readonly replies: LaneConditions;
  /** Puts a fault in force until the returned function is called. */
  add(condition: Condition): () => void;
}

/** @param changed - Called after a fault came or went. */
export function createConditions(random: Random, changed: () => void): Conditions {
  const active: Record<Direction, Set<Condition>> = { requests: new Set(), replies: new Set() };
  return {
    requests: laneConditions(active.requests, random),
    replies: laneConditions(active.replies, random),
    add(condition) {
      for (const way of condition.ways) active[way].add(condition);
      changed();
      return () => {
        for (const way of directions) active[way].delete(condition);
        changed();
      };
    },
  };
}

function laneConditions(active: ReadonlySet<Condition>, random: Random): LaneConditions {
  const all = (): Condition[] => [...active];
  const latencies = () => all().flatMap(({ latency }) => (latency ? [latency] : []));
  const slices = () => all().flatMap(({ slice }) => (slice ? [slice] : []));
  return {
    get delays() {
      return latencies().length > 0;
    },
    get holding() {
      const holds = all().flatMap(({ hold }) => (hold ? [hold] : []));
      return holds.includes("drop") ? "drop" : holds[0];
    },
    get bytesPerSecond() {
      return Math.min(...all().map(({ bytesPerSecond = Infinity }) => bytesPerSecond));
    },
    get sliceBytes() {
      return Math.min(...slices().map(({ bytes }) => bytes));
    },
    get gapMs() {
      return Math.max(0, ...slices().map(({ gapMs }) => gapMs));
    },
    get hidesEnds() {
      return all().some(({ hidesEnds }) => hidesEnds === true);
    },
    drawDelayMs: () => latencies().reduce((sum, { delayMs, jitterMs }) => sum + delayMs + random.float() * jitterMs, 0),
  };
}
