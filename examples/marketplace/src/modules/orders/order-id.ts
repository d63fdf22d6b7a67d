import { createHash } from "node:crypto";

import { z } from "zod";

/** The header under which a client may send the same order again without ordering twice. */
export const idempotencyKey = z
  .string({ error: "must be given once" })
  .regex(/^[ -~]{1,255}$/, "must be 1 to 255 printable ASCII characters")
  .optional()
  .describe("The same key is the same order, however often it is sent");

/** Headers of a request that may carry {@link idempotencyKey}. */
export const idempotentHeaders = z.looseObject({ "idempotency-key": idempotencyKey });

/**
 * The id that a user's order has under a key: the same on every process, so that the order itself is the record of what
 * was done. A UUID of version 8, from SHA-256 (RFC 9562, 5.8).
 */
export function orderIdOf(userId: string, key: string): string {
  const hex = createHash("sha256").update(`order\0${userId}\0${key}`).digest("hex");
  const variant = "89ab"[Number.parseInt(hex[16] ?? "0", 16) % 4];
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
