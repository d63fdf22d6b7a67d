import type { Clock, Timer } from "@sluice/core";

/** Something that is waited for. */
export interface Expiring {
  /** When its time is up. Set by {@link Deadlines.start}. */
  dueMs: number;
  /** Nobody waits any more. Set by {@link Deadlines.met}, or by the deadline itself. */
  isOver: boolean;
  /** Called once, unless the deadline is met before. */
  expire(): void;
}

/** Deadlines that all last equally long. */
export interface Deadlines {
  /** Begins the wait. */
  start(wait: Expiring): void;
  /** Ends it before its time. */
  met(wait: Expiring): void;
}

/**
 * Any number of deadlines of one length on a single timer. They fall due in the order in which they began, so the
 * timer only ever waits for the oldest; a deadline that was met leaves it running, and it finds nothing to do. So a
 * call pays for no timer of its own. O(1) per deadline.
 */
export function createDeadlines(clock: Clock, lengthMs: number): Deadlines {
  let queue: Expiring[] = [];
  let head = 0;
  let timer: Timer | undefined;

  function sweep(): void {
    timer = undefined;
    const nowMs = clock.monotonic();
    for (let first = queue[head]; first && (first.isOver || first.dueMs <= nowMs); first = queue[head]) {
      head += 1;
      if (first.isOver) continue;
      first.isOver = true;
      first.expire();
    }
    queue = queue.slice(head);
    head = 0;
    arm();
  }

  function arm(): void {
    const first = queue[head];
    // In the background: the socket keeps the process alive for as long as an answer is due.
    if (first && !timer) timer = clock.schedule(first.dueMs - clock.monotonic(), sweep, { background: true });
  }

  return {
    start(wait) {
      wait.dueMs = clock.monotonic() + lengthMs;
      queue.push(wait);
      if (!timer) arm();
    },
    met(wait) {
      wait.isOver = true;
      // What is met at the front leaves at once: memory follows what is underway, not the length of the deadline.
      while (head < queue.length && queue[head]?.isOver) head += 1;
      if (head === queue.length) queue.length = 0;
      else if (head > 1024) queue = queue.slice(head);
      else return;
      head = 0;
    },
  };
}
