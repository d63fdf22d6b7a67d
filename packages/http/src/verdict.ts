import type { PassVerdict } from "./guard.ts";

/** @throws TypeError for a verdict that is neither a reply nor a pass: a broken guard must let nothing pass. */
export function checkedPass(verdict: PassVerdict): PassVerdict {
  if (verdict.pass) return verdict;
  throw new TypeError("A guard's verdict must have a reply, or pass: true.");
}
