import type { Level } from "./reservation.ts";

/**
 * A hint at what is left, that many processes share. It may be wrong, slow or away: whoever it admits is decided on by
 * the database, and whoever it refuses is let through now and then to see whether it is right.
 */
export interface Admission {
  /** Takes units off the hint if it has as many. `unknown`: there is no hint. */
  admit(productId: string, quantity: number): Promise<"admitted" | "sold_out" | "unknown">;
  /** Sets hints, unless one of a newer version is there. Returns what they were before, in the order of the levels. */
  publish(levels: readonly Level[]): Promise<readonly (number | undefined)[]>;
}
