import type { Redis } from "./port.ts";

/** The way to one server: a few batches may be underway on it at once. */
export interface Lane {
  /** Nothing is underway, and nobody waits. */
  readonly isIdle: boolean;
  /** Takes a place if one is free. */
  enter(): boolean;
  /** Gives the place back and calls those who wait, the longest first. */
  leave(): void;
  /** Calls `pump` once, when a place is free. Asking twice is asking once. */
  wait(pump: () => void): void;
}

const places = 4;
const mostKept = 64;
const lanes = new WeakMap<Redis, Map<string, Lane>>();

/**
 * The lane to one server of a port, shared by everything that sends batches there. What waits here has not been sent,
 * so it can still be cancelled; what waits in a socket cannot.
 */
export function laneOf(redis: Redis, shard: string): Lane {
  let ofPort = lanes.get(redis);
  if (!ofPort) lanes.set(redis, (ofPort = new Map()));
  const known = ofPort.get(shard);
  if (known) return known;
  // Servers of a Cluster come and go: only lanes in use are worth keeping.
  if (ofPort.size >= mostKept) for (const [name, lane] of ofPort) if (lane.isIdle) ofPort.delete(name);
  const created = createLane();
  ofPort.set(shard, created);
  return created;
}

function createLane(): Lane {
  const waiting = new Set<() => void>();
  let underway = 0;
  return {
    get isIdle() {
      return underway === 0;
    },
    enter() {
      if (underway === places) return false;
      underway += 1;
      return true;
    },
    leave() {
      underway -= 1;
      // On until the place is taken: who waited may have nothing left to send.
      for (const pump of waiting) {
        if (underway === places) return;
        waiting.delete(pump);
        pump();
      }
    },
    wait: (pump) => void waiting.add(pump),
  };
}
