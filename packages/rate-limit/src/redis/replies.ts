import type { Reply } from "@sluice/redis";

import { algorithmOf, type LimitState } from "../algorithms.ts";
import { RateLimitReplyError } from "../errors.ts";
import { parseField, type NamedLimit } from "../field.ts";
import type { Answer, Ask, LimitAnswer, SubjectState } from "../store.ts";

const headLength = 4;
const perAsk = 5;
const shortHead = "2:";

/**
 * The answer of `take.lua`.
 *
 * @throws `ERR_SLUICE_RATE_LIMIT_REPLY` for anything else.
 */
export function readAnswer(reply: Reply, asks: readonly Ask[]): Answer {
  if (typeof reply === "string") return readShort(reply, asks);
  if (!isNumbers(reply) || reply[0] !== 1 || reply.length !== headLength + perAsk * asks.length)
    throw new RateLimitReplyError(reply);
  const [, atMs = 0, allowed, blockedMs = 0] = reply;
  const limits: LimitAnswer[] = [];
  for (let base = headLength; base < reply.length; base += perAsk) limits.push(readLimit(reply, base));
  return { allowed: allowed === 1, atMs, blockedMs: Math.max(0, blockedMs), limits };
}

/** All is allowed, limits are as asked, time is as usual: what else there is follows. */
function readShort(reply: string, asks: readonly Ask[]): Answer {
  // Most calls get one of these, so it is read without a list of its pieces.
  let end = reply.indexOf(":", shortHead.length);
  if (!reply.startsWith(shortHead) || end < 0) throw new RateLimitReplyError(reply);
  const atMs = Number(reply.slice(shortHead.length, end));
  const limits: LimitAnswer[] = [];
  for (const { limit } of asks) {
    const start = end + 1;
    end = reply.indexOf(":", start);
    if (start === 0) throw new RateLimitReplyError(reply);
    const remaining = Number(end < 0 ? reply.slice(start) : reply.slice(start, end));
    const stamp = limit.kind === "bucket" ? 0 : Math.floor(atMs / limit.perMs);
    limits.push({ limit: limit.limit, remaining, waitMs: 0, nextMs: 0, stamp });
  }
  if (end >= 0) throw new RateLimitReplyError(reply);
  return { allowed: true, atMs, blockedMs: 0, limits };
}

function readLimit(reply: readonly number[], base: number): LimitAnswer {
  const at = (place: number): number => reply[base + place] ?? 0;
  const waitMs = at(2) < 0 ? Infinity : at(2);
  return { limit: at(0), remaining: at(1), waitMs, nextMs: at(3), stamp: at(4) };
}

/**
 * The answer of `adjust.lua`.
 *
 * @throws `ERR_SLUICE_RATE_LIMIT_REPLY` for anything else.
 */
export function readApplied(reply: Reply, changes: number): readonly number[] {
  if (isNumbers(reply) && reply.length === changes) return reply;
  throw new RateLimitReplyError(reply);
}

/** The answer of TIME, in ms. */
export function readTime(reply: Reply): number {
  const [seconds, microseconds] = Array.isArray(reply) ? (reply as readonly Reply[]) : [];
  return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
}

/** The answer of HGETALL for a subject. Fields of another version are left out. */
export function readSubject(reply: Reply, nowMs: number): SubjectState {
  const flat = Array.isArray(reply) ? (reply as readonly Reply[]).map(String) : [];
  const fields = new Map<string, string>();
  for (let index = 0; index < flat.length; index += 2) fields.set(flat[index] ?? "", flat[index + 1] ?? "");
  const counters = [...fields].flatMap(([field, text]) => {
    const limit = parseField(field);
    const spent = limit ? spentOf(limit, text, nowMs) : 0;
    return limit && spent > 0 ? [{ name: limit.name, kind: limit.kind, perMs: limit.perMs, spent }] : [];
  });
  return { ...readMarks(fields.get("!") ?? "", nowMs), counters };
}

function readMarks(text: string, nowMs: number): Pick<SubjectState, "blockedMs" | "overrides"> {
  const blockedUntilMs = Number(/^1\|(\d+)/.exec(text)?.[1] ?? 0);
  const overrides = [...text.matchAll(/([^|,]+),(\d+),(\d+),(\d+)/g)]
    .map(([, name = "", limit, refill, untilMs]) => ({
      name,
      limit: Number(limit),
      refill: Number(refill),
      leftMs: Number(untilMs) - nowMs,
    }))
    .filter(({ leftMs }) => leftMs > 0);
  return { blockedMs: Math.max(0, blockedUntilMs - nowMs), overrides };
}

const entryDigits = 13;
const tokenLength = 12;

function spentOf(terms: NamedLimit, text: string, nowMs: number): number {
  return algorithmOf(terms.kind).spent(stateOf(terms, text), { terms, nowMs });
}

/** The state that memory would hold, from the text that Redis holds. */
function stateOf({ kind }: NamedLimit, text: string): LimitState {
  if (kind === "sliding-log" || kind === "concurrency") {
    const width = kind === "concurrency" ? entryDigits + tokenLength : entryDigits;
    const entries = [];
    for (let at = 0; at < text.length; at += width) {
      entries.push({
        untilMs: Number(text.slice(at, at + entryDigits)),
        token: text.slice(at + entryDigits, at + width),
      });
    }
    return { entries };
  }
  // Those of a subject with marks begin with one.
  const [first = 0, ...numbers] = text.replace("!", "").split(":").map(Number);
  return kind === "bucket"
    ? { atMs: first, debt: numbers[0] ?? 0, refill: numbers[1] ?? 0 }
    : { at: first, counts: numbers };
}

function isNumbers(reply: Reply): reply is readonly number[] {
  return Array.isArray(reply) && (reply as readonly Reply[]).every((value) => typeof value === "number");
}
