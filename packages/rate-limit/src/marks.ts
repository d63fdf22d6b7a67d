import { RateLimitMarksFullError } from "./errors.ts";
import type { Limit } from "./limit.ts";
import type { Ask, Mark, SubjectState } from "./store.ts";

interface Override {
  readonly limit: number;
  readonly refill: number;
  readonly untilMs: number;
}

interface SubjectMarks {
  blockedUntilMs: number;
  readonly overrides: Map<string, Override>;
}

/** Blocks and overrides by subject, in memory. Operators write them, so a full table is an error and not an attack. */
export class Marks {
  readonly #max: number;
  readonly #marks = new Map<string, SubjectMarks>();
  #lastUntilMs = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** Whether nobody has marks: those of the past are forgotten with the last of them. */
  isEmpty(nowMs: number): boolean {
    if (this.#marks.size > 0 && this.#lastUntilMs <= nowMs) this.#marks.clear();
    return this.#marks.size === 0;
  }

  /** The longest block among the subjects of some asks, in ms from now. */
  blockedMs(asks: readonly Ask[], nowMs: number): number {
    if (this.#marks.size === 0) return 0;
    return Math.max(0, ...asks.map(({ key }) => (this.#marks.get(key)?.blockedUntilMs ?? nowMs) - nowMs));
  }

  /** The limit with what an override replaces. */
  termsOf(key: string, limit: Limit & { readonly name: string }, nowMs: number): Limit {
    const override = this.#marks.size === 0 ? undefined : this.#marks.get(key)?.overrides.get(limit.name);
    if (!override || override.untilMs <= nowMs) return limit;
    return { ...limit, limit: override.limit, refill: override.refill || limit.refill };
  }

  set(key: string, mark: Mark, nowMs: number): void {
    const marks = this.#marks.get(key) ?? this.#open(key, nowMs);
    const untilMs = nowMs + mark.forMs;
    this.#lastUntilMs = Math.max(this.#lastUntilMs, untilMs);
    if (mark.kind === "block") marks.blockedUntilMs = untilMs;
    else if (mark.forMs === 0) marks.overrides.delete(mark.name);
    else marks.overrides.set(mark.name, { limit: mark.limit, refill: mark.refill, untilMs });
    if (isOver(marks, nowMs)) this.#marks.delete(key);
  }

  unblock(key: string, nowMs: number): void {
    const marks = this.#marks.get(key);
    if (!marks) return;
    marks.blockedUntilMs = 0;
    if (isOver(marks, nowMs)) this.#marks.delete(key);
  }

  shown(key: string, nowMs: number): Pick<SubjectState, "blockedMs" | "overrides"> {
    const marks = this.#marks.get(key);
    if (!marks) return { blockedMs: 0, overrides: [] };
    const overrides = [...marks.overrides]
      .map(([name, { limit, refill, untilMs }]) => ({ name, limit, refill, leftMs: untilMs - nowMs }))
      .filter(({ leftMs }) => leftMs > 0);
    return { blockedMs: Math.max(0, marks.blockedUntilMs - nowMs), overrides };
  }

  #open(key: string, nowMs: number): SubjectMarks {
    if (this.#marks.size >= this.#max) {
      for (const [old, marks] of this.#marks) if (isOver(marks, nowMs)) this.#marks.delete(old);
      if (this.#marks.size >= this.#max) throw new RateLimitMarksFullError(this.#max);
    }
    const opened: SubjectMarks = { blockedUntilMs: 0, overrides: new Map() };
    this.#marks.set(key, opened);
    return opened;
  }
}

function isOver({ blockedUntilMs, overrides }: SubjectMarks, nowMs: number): boolean {
  return blockedUntilMs <= nowMs && [...overrides.values()].every(({ untilMs }) => untilMs <= nowMs);
}
