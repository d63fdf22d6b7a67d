import { InvalidArgumentError } from "@sluice/core";

/** Something to invalidate: plain data, which an outbox may keep as JSON. */
export type InvalidationTarget = EntryTarget | GenerationTarget;

/** Single records. */
export interface EntryTarget {
  readonly kind: "entry";
  /** The keys of the records. */
  readonly keys: readonly string[];
  /** The generation of their prefix, for when there are too many single ones. */
  readonly family: string;
  /** For how long values that are loaded afterwards may come from a replica that lags behind. */
  readonly settleMs: number;
}

/** Everything that stands on a generation. */
export interface GenerationTarget {
  readonly kind: "generation";
  /** The keys of generations that are replaced in one step, in this order. */
  readonly generations: readonly string[];
  /** The generation of their prefix. */
  readonly family: string;
  /** Lets the values be served for this long while they are reloaded. Absent: not at all. */
  readonly maxStaleMs?: number;
}

/**
 * Copies of targets as plain data, from anything that has their members.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` for what is no target.
 */
export function plainTargets(targets: readonly InvalidationTarget[]): InvalidationTarget[] {
  if (!Array.isArray(targets)) throw new InvalidArgumentError("targets", "an array", targets);
  return targets.map(plainTarget);
}

/** A copy of a target as plain data, from anything that has its members. */
export function plainTarget(target: InvalidationTarget): InvalidationTarget {
  if (typeof target !== "object" || target === null) throw notATarget(target);
  const { kind, family } = target;
  if (typeof family !== "string") throw notATarget(target);
  if (kind === "entry" && isTexts(target.keys) && isLength(target.settleMs)) {
    return { kind, keys: [...target.keys], family, settleMs: target.settleMs };
  }
  if (kind === "generation" && isTexts(target.generations) && isLength(target.maxStaleMs ?? 0)) {
    const { generations, maxStaleMs } = target;
    return { kind, generations: [...generations], family, ...(maxStaleMs === undefined ? {} : { maxStaleMs }) };
  }
  throw notATarget(target);
}

/** The keys by which a target is known to copies, reads and announcements. */
export function keysOf(target: InvalidationTarget): readonly string[] {
  return target.kind === "entry" ? target.keys : target.generations;
}

function isTexts(texts: unknown): boolean {
  return Array.isArray(texts) && texts.length > 0 && texts.every((text) => typeof text === "string");
}

function isLength(ms: unknown): boolean {
  return Number.isSafeInteger(ms) && Number(ms) >= 0;
}

function notATarget(target: unknown): InvalidArgumentError {
  return new InvalidArgumentError("target", "an entry, a group, a tag, a scope's all() or a prefix", target);
}
