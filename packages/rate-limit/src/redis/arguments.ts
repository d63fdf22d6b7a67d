import type { Argument, Entry, Reply } from "@sluice/redis";

import type { NamedLimit } from "../field.ts";
import type { Ask, Change } from "../store.ts";

/** What a script is told besides the asks. */
export interface TakeCall {
  readonly prefix: string;
  readonly spend: boolean;
  /** -1 for the server's own time. */
  readonly nowMs: number;
}

/** `KEYS` and `ARGV` of `take.lua`. */
export function takeEntry(asks: readonly Ask[], { prefix, spend, nowMs }: TakeCall): Entry {
  const keys: string[] = [];
  const args: Argument[] = [nowMs, spend ? 1 : 0];
  for (const { key, limit, cost, token } of asks) {
    const stored = prefix + key;
    // Most decisions are about one subject.
    const place = keys.at(-1) === stored ? keys.length : keys.indexOf(stored) + 1 || keys.push(stored);
    args.push(place, limit.field, cost, limit.limit, limit.perMs, extraOf(limit, token));
  }
  return { keys, args };
}

/** One change of `adjust.lua`. */
export function adjustArguments({ limit, delta, booked, stamp, atMs, token }: Change): Argument[] {
  const place = limit.kind === "bucket" ? booked : stamp;
  return [limit.field, delta, place, atMs, limit.limit, limit.perMs, extraOf(limit, token)];
}

function extraOf({ kind, parts, refill }: NamedLimit, token = ""): Argument {
  if (kind === "strict-window") return parts;
  if (kind === "bucket") return refill;
  return kind === "concurrency" ? token : "";
}

/** A slot to release, in `KEYS` and `ARGV` of `adjust.lua` without the time. */
export interface Release {
  readonly key: string;
  readonly args: readonly Argument[];
}

const argumentsPerAsk = 6;

/** The slots that a decision took, from the entry that asked for it and the answer. */
export function slotsTaken({ keys, args }: Entry, reply: Reply): Release[] {
  if (!Array.isArray(reply) || reply[2] !== 1 || args[1] !== 1) return [];
  const releases: Release[] = [];
  for (let base = 2; base < args.length; base += argumentsPerAsk) {
    const [place, field, cost, limit, perMs, token] = args.slice(base, base + argumentsPerAsk);
    const key = keys[Number(place) - 1];
    if (key === undefined || !String(field).startsWith("c")) continue;
    releases.push({ key, args: [String(field), -Number(cost), 0, 0, Number(limit), Number(perMs), String(token)] });
  }
  return releases;
}
