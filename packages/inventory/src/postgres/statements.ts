import type { Decision } from "../store.ts";

/** Pieces of SQL that several statements share. All of them are constants: nothing of a caller is in them. */

/**
 * For a transaction of a flash lane: whoever keeps the row of a product locked must not hold up those who want others.
 * The same as that of the function.
 */
export const boundedWait = "set local lock_timeout = '2s'";

/** Products and quantities of two parameters as a relation. */
export function linesAs(alias: string, products: string, quantities: string): string {
  return `unnest(${products}::text[], ${quantities}::bigint[]) as ${alias} (product, quantity)`;
}

/** What two requests with one id must agree on. The same as in the functions: both may serve one table. */
export function fingerprintOf(products: string, quantities: string): string {
  return `(select sha256(convert_to(string_agg(length(f.product) || ':' || f.product || '=' || f.quantity, ','
    order by f.product collate "C"), 'UTF8')) from ${linesAs("f", products, quantities)})`;
}

/** A moment in ms since the epoch. */
export function msOf(column: string): string {
  return `(extract(epoch from ${column}) * 1000)::float8`;
}

/** Which threshold a change has crossed, of a relation with `before`, `available` and `low_at`. */
export function edgeOf(relation: string): string {
  const [before, after] = [`${relation}.before`, `${relation}.available`];
  return `(case when ${before} > ${relation}.low_at and ${after} <= ${relation}.low_at then 'low_stock'
    when ${before} <= 0 and ${after} > 0 then 'back_in_stock' end)`;
}

/** A reservation that has the id already. */
export interface KnownRow {
  readonly same: boolean;
  readonly state: "open" | "confirmed" | "released" | "expired";
  readonly overdue: boolean;
  readonly due: number;
}

export function knownDecision({ same, state, overdue, due }: KnownRow): Decision {
  if (!same) return { outcome: "conflict" };
  if (state !== "open") return { outcome: state };
  return overdue ? { outcome: "expired" } : { outcome: "duplicate", expiresAtMs: due };
}
