import type { Clock } from "@sluice/core";

import type { CartBounds, CartLines, CartStore } from "./store.ts";

/** What bounds the carts of a process. */
export interface MemoryCartOptions extends CartBounds {
  readonly clock: Clock;
  /** Carts that are kept at most. Beyond that, the one that was changed longest ago goes. */
  readonly mostCarts: number;
}

interface Kept {
  readonly lines: CartLines;
  readonly untilMs: number;
}

/** Carts in this process: other processes do not see them, and they end with it. */
export function memoryCarts({ clock, ttlMs, mostLines, mostCarts }: MemoryCartOptions): CartStore {
  // In the order of their last change.
  const carts = new Map<string, Kept>();

  function linesOf(userId: string): CartLines {
    const kept = carts.get(userId);
    return kept === undefined || kept.untilMs <= clock.monotonic() ? new Map() : kept.lines;
  }

  function keep(userId: string, lines: CartLines): void {
    carts.delete(userId);
    if (lines.size === 0) return;
    carts.set(userId, { lines, untilMs: clock.monotonic() + ttlMs });
    const [oldest] = carts.keys();
    if (oldest !== undefined && carts.size > mostCarts) carts.delete(oldest);
  }

  return {
    read: async (userId) => linesOf(userId),
    async change(userId, { lines, anew }) {
      const before = linesOf(userId);
      const after = new Map(anew ? [] : before);
      for (const [productId, quantity] of lines) {
        if (quantity === 0) after.delete(productId);
        else after.set(productId, quantity);
      }
      if (after.size > Math.max(mostLines, before.size)) return undefined;
      keep(userId, after);
      return after;
    },
  };
}
