// A token is `<16 digits: microseconds of the store's clock><8 characters of chance>`. Generations are
// `<token>`, or after a soft flush `<token>/<soft token>/<soft token before, if any>/<ms that the old may be served>`.
const tokenLength = 24;
const digits = 16;

/** A generation's value as a record is stamped with it: the token, and the soft token if there is one. */
export function stampOf(generation: string): string {
  if (generation.length === tokenLength) return generation;
  const [token = "", soft = ""] = generation.split("/");
  return `${token}/${soft}`;
}

/** How a record stands to a generation. */
export type Standing = "fresh" | "softened" | "invalid";

/**
 * Compares the stamp of a record with the value that the generation has now. Tokens are never compared by their
 * time, so clocks do not matter; only how long a softened record may be served depends on one.
 */
export function standing(stamp: string, generation: string, nowMs: number): Standing {
  if (stamp === generation) return "fresh";
  if (generation.length === tokenLength) return "invalid";
  const [token = "", soft = "", before = "", maxStaleMs = ""] = generation.split("/");
  const [stampToken, stampSoft = ""] = stamp.split("/");
  if (stampToken !== token) return "invalid";
  if (stampSoft === soft) return "fresh";
  // Only the flush right after this record: the age of earlier ones is not known any more.
  return stampSoft === before && nowMs < tokenMs(soft) + Number(maxStaleMs) ? "softened" : "invalid";
}

/** When a token was made, in ms of the store's clock. */
export function tokenMs(token: string): number {
  return Number(token.slice(0, digits)) / 1000;
}

/** The newest token among stamps: what a load stands on. Fixed digits come first, so text order is time order. */
export function newestToken(stamps: readonly string[]): string {
  let newest = "";
  for (const stamp of stamps) {
    for (const token of stamp.split("/")) if (token > newest) newest = token;
  }
  return newest;
}

/** A token for stores that make them here. */
export function makeToken(microseconds: number, nonce: string): string {
  return `${String(microseconds).padStart(digits, "0")}${nonce}`;
}

/** The value of a generation after a flush, from the one before. The same rule as in `bump.lua`. */
export function nextGeneration(current: string | undefined, token: string, maxStaleMs: number | undefined): string {
  if (maxStaleMs === undefined || current === undefined) return token;
  const [hard = "", soft = ""] = current.split("/");
  return `${hard}/${token}/${soft}/${maxStaleMs}`;
}
