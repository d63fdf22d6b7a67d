import { InvalidArgumentError } from "@sluice/core";

import type { Line, Movement, ReserveRequest } from "./reservation.ts";

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const longestText = 200;
const mostLines = 1000;
const mostIds = 1000;
const mostUnits = 2 ** 31 - 1;
const longestMs = 366 * 86_400_000;

/** @throws `ERR_SLUICE_INVALID_ARGUMENT` naming the argument. */
export function checkedId(argument: string, id: unknown): string {
  const lower = typeof id === "string" && id.length === 36 ? id.toLowerCase() : "";
  if (!uuid.test(lower)) throw new InvalidArgumentError(argument, "a UUID", id);
  return lower;
}

/** Distinct ids, in their order. @throws `ERR_SLUICE_INVALID_ARGUMENT` for none, more than 1000, and what is no id. */
export function checkedIds(ids: string | readonly string[]): readonly string[] {
  const given = typeof ids === "string" ? [ids] : ids;
  if (!Array.isArray(given) || given.length === 0 || given.length > mostIds) {
    throw new InvalidArgumentError("ids", `a UUID or 1 to ${mostIds} of them`, ids);
  }
  return [...new Set(given.map((id) => checkedId("ids", id)))];
}

/** Text that every store can keep. @throws `ERR_SLUICE_INVALID_ARGUMENT` naming the argument. */
export function checkedText(argument: string, text: unknown): string {
  const isText = typeof text === "string" && text.length > 0 && text.length <= longestText;
  if (!isText || !text.isWellFormed() || text.includes("\0")) {
    throw new InvalidArgumentError(argument, `1 to ${longestText} characters of well-formed text without NUL`, text);
  }
  return text;
}

/** @throws `ERR_SLUICE_INVALID_ARGUMENT` naming the argument, unless it is a whole number within the bounds. */
export function checkedWhole(argument: string, value: unknown, [from, to]: readonly [number, number]): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < from || value > to) {
    throw new InvalidArgumentError(argument, `a whole number from ${from} to ${to}`, value);
  }
  return value;
}

/** @throws `ERR_SLUICE_INVALID_ARGUMENT` naming the argument. */
export function checkedMs(argument: string, ms: unknown): number {
  if (typeof ms !== "number" || !(ms >= 1 && ms <= longestMs)) {
    throw new InvalidArgumentError(argument, `from 1 to ${longestMs} ms`, ms);
  }
  return ms;
}

/**
 * The lines added up by product, in the order in which every store locks them.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` for no line, more than 1000, and a quantity that is not a whole number from 1 to
 *   2^31 - 1, or adds up to more.
 */
export function checkedLines(lines: ReserveRequest["lines"]): readonly Line[] {
  if (!Array.isArray(lines) || lines.length === 0 || lines.length > mostLines) {
    throw new InvalidArgumentError("lines", `1 to ${mostLines} lines`, lines);
  }
  const sums = new Map<string, number>();
  for (const line of lines as readonly (Partial<Line> | null | undefined)[]) {
    const productId = checkedText("productId", line?.productId);
    const quantity = checkedWhole("quantity", line?.quantity, [1, mostUnits]);
    sums.set(productId, checkedWhole("quantity", quantity + (sums.get(productId) ?? 0), [1, mostUnits]));
  }
  // Most requests are for one product, and a flash sale is of nothing else.
  if (lines.length === 1) return lines.map(({ productId, quantity }: Line) => ({ productId, quantity }));
  return [...sums]
    .map(([productId, quantity]) => ({ productId, quantity }))
    .toSorted((one, other) => (one.productId < other.productId ? -1 : 1));
}

/** @throws `ERR_SLUICE_INVALID_ARGUMENT` naming the member. */
export function checkMovement({ productId, quantity, key }: Movement, from: number): void {
  checkedText("productId", productId);
  checkedText("key", key);
  checkedWhole("quantity", quantity, [from, Number.MAX_SAFE_INTEGER]);
  if (quantity === 0) throw new InvalidArgumentError("quantity", "not 0", quantity);
}
