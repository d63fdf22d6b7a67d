import { createHash } from "node:crypto";

/**
 * The id of the row with that number: the same on every machine and in every size of seed data. A UUID of version 8,
 * from SHA-256 (RFC 9562, 5.8).
 */
export function seededId(table: string, index: number): string {
  const hex = createHash("sha256").update(`sluice marketplace ${table} ${index}`).digest("hex");
  const variant = "89ab"[Number.parseInt(hex[16] ?? "0", 16) % 4];
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
