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
  const [first] = asks;
  if (first && asks.length === 1) return { keys: [prefix + first.key], args: oneAsk(first, spend, nowMs) };
  let wanted = `${nowMs}|${spend ? 1 : 0}`;
  for (const ask of asks) wanted += `|${textOf(ask)},${costOf(ask)}`;
  const subject = first?.key ?? "";
  const isOne = asks.every(({ key }) => key === subject);
  return { keys: isOne ? [prefix + subject] : asks.map(({ key }) => prefix + key), args: [wanted] };
}

const usualArguments = new WeakMap<NamedLimit, readonly [string]>();

/** What one limit is asked. Most calls cost 1 and go by the server's time: their arguments are made once. */
function oneAsk(ask: Ask, spend: boolean, nowMs: number): readonly [string] {
  const isUsual = spend && nowMs === -1 && ask.cost === 1 && !ask.countDenied && ask.limit.kind !== "concurrency";
  if (!isUsual) return [`${nowMs}|${spend ? 1 : 0}|${textOf(ask)},${costOf(ask)}`];
  const known = usualArguments.get(ask.limit);
  if (known) return known;
  const args = [`-1|1|${textOf(ask)},1`] as const;
  usualArguments.set(ask.limit, args);
  return args;
}

function costOf({ cost, countDenied }: Ask): string {
  return countDenied === true ? `${cost}+` : `${cost}`;
}

const texts = new WeakMap<NamedLimit, string>();

function textOf({ limit, token }: Ask): string {
  if (limit.kind === "concurrency") return `${limit.field},${limit.limit},${limit.perMs},${token ?? ""}`;
  const known = texts.get(limit);
  if (known !== undefined) return known;
  const text = `${limit.field},${limit.limit},${limit.perMs},${extraOf(limit, "")}`;
  texts.set(limit, text);
  return text;
}

/** One change of `adjust.lua`. */
export function adjustArguments({ limit, delta, booked, stamp, atMs, token }: Change): Argument[] {
  const place = limit.kind === "bucket" ? booked : stamp;
  return [limit.field, delta, place, atMs, limit.limit, limit.perMs, extraOf(limit, token)];
}

function extraOf({ kind, parts, refill }: NamedLimit, token = ""): string | number {
  if (kind === "strict-window") return parts;
  if (kind === "bucket") return refill;
  return kind === "concurrency" ? token : "";
}

/** A slot to release, in `KEYS` and `ARGV` of `adjust.lua` without the time. */
export interface Release {
  readonly key: string;
  readonly args: readonly Argument[];
}

/** The slots that a decision took, from the entry that asked for it and the answer. */
export function slotsTaken({ keys, args: [wanted] }: Entry, reply: Reply): Release[] {
  const [, spend, ...asks] = String(wanted).split("|");
  if (!Array.isArray(reply) || reply[0] !== 1 || reply[2] !== 1 || spend !== "1") return [];
  return asks.flatMap((text, index) => {
    const [field = "", limit, perMs, token = "", cost] = text.split(",");
    const key = keys.length === 1 ? keys[0] : keys[index];
    if (key === undefined || !field.startsWith("c")) return [];
    return [{ key, args: [field, -Number(cost), 0, 0, Number(limit), Number(perMs), token] }];
  });
}
