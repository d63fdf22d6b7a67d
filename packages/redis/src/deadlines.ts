import type { Clock, Timer } from "@sluice/core";

/** Something that is waited for. A class, so that its place among the others costs no object of its own. */
export abstract class Wait {
  /** When its time is up. Set by {@link Deadlines.start}. */
  dueMs = 0;
  /** The wait that falls due before this one. */
  before: Wait | undefined = undefined;
  /** The wait that falls due after this one; undefined while nobody waits. */
  after: Wait | undefined = undefined;
  /** Called once, unless the deadline is met before. */
  abstract expire(): void;
}

/** Closes the ring of waits: its neighbours are the last and the first to fall due. */
class Ring extends Wait {
  override before: Wait = this;
  override after: Wait = this;

  expire(): void {}
}

/** Any number of deadlines on one timer. */
export interface Deadlines<One extends Wait> {
  /** Begins a wait of so many ms. */
  start(wait: One, ms: number): void;
  /** Ends it before its time. Harmless when it is over. */
  met(wait: One): void;
  /** Who waits now, the first due first. */
  waiting(): One[];
}

/**
 * Deadlines in a ring, the first due first, and one timer for the first. It is left running when that one is met, and
 * then finds nothing to do, so a call pays for no timer. O(1) for deadlines of one length, otherwise O(number of those
 * that fall due later); memory is that of the waits themselves.
 */
export function createDeadlines<One extends Wait>(clock: Clock): Deadlines<One> {
  const ring = new Ring();
  let timer: Timer | undefined;
  let wakeMs = Infinity;

  function sweep(): void {
    timer = undefined;
    wakeMs = Infinity;
    const nowMs = clock.monotonic();
    for (let first = ring.after; first !== ring && first.dueMs <= nowMs; first = ring.after) {
      unlink(first);
      first.expire();
    }
    if (ring.after !== ring) arm(ring.after.dueMs, nowMs);
  }

  function arm(dueMs: number, nowMs: number): void {
    if (dueMs >= wakeMs) return;
    timer?.cancel();
    wakeMs = dueMs;
    // In the background: the socket keeps the process alive for as long as an answer is due.
    timer = clock.schedule(dueMs - nowMs, sweep, { background: true });
  }

  return {
    start(wait, ms) {
      const nowMs = clock.monotonic();
      wait.dueMs = nowMs + ms;
      let before = ring.before;
      while (before !== ring && before.dueMs > wait.dueMs) before = before.before ?? ring;
      link(wait, before);
      arm(wait.dueMs, nowMs);
    },
    met: unlink,
    waiting() {
      const all: One[] = [];
      // Only start() puts anything into the ring.
      for (let next = ring.after; next !== ring; next = next.after ?? ring) all.push(next as One);
      return all;
    },
  };
}

function link(wait: Wait, before: Wait): void {
  wait.before = before;
  wait.after = before.after;
  if (before.after) before.after.before = wait;
  before.after = wait;
}

function unlink(wait: Wait): void {
  const { before, after } = wait;
  if (!before || !after) return;
  before.after = after;
  after.before = before;
  wait.before = undefined;
  wait.after = undefined;
}
