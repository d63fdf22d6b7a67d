import { cacheEvents } from "./events.ts";
import { stampOf, standing, type Standing } from "./generation.ts";
import type { Invalidator } from "./invalidator.ts";
import type { L1, Watch } from "./l1.ts";
import { unpack } from "./packing.ts";
import type { Plan, Policy } from "./policy.ts";
import { decodeRecord, type EncodedRecord } from "./record.ts";
import type { CacheStore, Snapshot } from "./store.ts";

/** What a look at the store found. */
export interface Found {
  /** A record that stands on the present generations, fresh or past its time. */
  readonly record: EncodedRecord | undefined;
  /** Its time is not over, and no soft flush came since. */
  readonly fresh: boolean;
  /** How long ago its time was over; 0 before. In ms. */
  readonly staleMs: number;
  /** It was softened by a flush that lets it be served while it is reloaded. */
  readonly softened: boolean;
  readonly snapshot: Snapshot;
  readonly watch: Watch | undefined;
}

/** A record that stands, with time left. */
export type FoundFresh = Found & { readonly record: EncodedRecord; readonly fresh: true };

/** What a look at the store needs. */
export interface LookGround {
  readonly store: CacheStore;
  readonly l1: L1 | undefined;
  readonly invalidator: Invalidator;
  readonly policy: Policy;
}

/** The store was not told about an invalidation by this process yet. */
export class PoisonedError extends Error {}

/**
 * What is known before a record is read, for a copy of it.
 *
 * @throws {@link PoisonedError}.
 */
export function beginLook({ l1, invalidator }: LookGround, plan: Plan): Watch | undefined {
  if (invalidator.journal.isPoisoned(plan.keys)) throw new PoisonedError("an invalidation waits for the store");
  return l1?.watch(plan.keys);
}

/**
 * Tells the store again what it has forgotten.
 *
 * @throws {@link PoisonedError} when it cannot be told.
 */
export async function remind({ invalidator }: LookGround): Promise<void> {
  if (!(await invalidator.replay("lost"))) throw new PoisonedError("an invalidation waits for the store");
}

/** Whether the store shows that it has forgotten an invalidation by this process which it had confirmed. */
export function hasLost(
  { invalidator: { journal } }: LookGround,
  plan: Plan,
  { record, generations }: Snapshot,
): boolean {
  if (journal.isEmpty) return false;
  if (plan.generations.some((key, index) => journal.hasLost(key, generations[index] ?? null))) return true;
  const stored = record === null ? undefined : decodeRecord(record);
  return stored !== undefined && journal.outlived(plan.key, stored.storedMs - stored.loadMs);
}

/** What was read, and what was known before. */
export interface Seen {
  readonly snapshot: Snapshot;
  readonly watch: Watch | undefined;
}

/** A record that stands, with time left and not packed: the usual case. Undefined when it is another. */
export function judgeUsual({ store }: LookGround, plan: Plan, { snapshot, watch }: Seen): FoundFresh | undefined {
  const { generations } = snapshot;
  const record = snapshot.record === null ? undefined : decodeRecord(snapshot.record);
  // An absent generation is no stamp.
  if (record?.packing !== "plain" || !record.says(plan.identity, textOf(generations))) return undefined;
  if (store.now() >= record.freshUntilMs) return undefined;
  return { record, fresh: true, staleMs: 0, softened: false, snapshot, watch };
}

/** Judges what was read, at once but for a record with tags of which some may have been invalidated since. */
export function judge(ground: LookGround, plan: Plan, { snapshot, watch }: Seen): Found | Promise<Found> {
  const { generations } = snapshot;
  const record = snapshot.record === null ? undefined : decodeRecord(snapshot.record);
  const nowMs = ground.store.now();
  const none: Found = { record: undefined, fresh: false, staleMs: 0, softened: false, snapshot, watch };
  if (snapshot.record === null || !areAll(generations) || !isOwn(ground.policy, plan, record)) return none;
  const stands = standingOf(ground, { record, generations, nowMs });
  if (stands instanceof Promise) return stands.then((each) => standingFound(none, record, { stands: each, nowMs }));
  return standingFound(none, record, { stands, nowMs });
}

function textOf(generations: readonly (string | null)[]): string {
  return generations.length === 1 ? (generations[0] ?? "") : generations.join(",");
}

function areAll(generations: readonly (string | null)[]): generations is readonly string[] {
  return !generations.includes(null);
}

/** The stamps of a load that begins now; undefined when a generation is absent. */
export function stampsOf({ snapshot: { generations } }: Found): readonly string[] | undefined {
  return areAll(generations) ? generations.map(stampOf) : undefined;
}

interface At {
  readonly stands: Standing;
  readonly nowMs: number;
}

function standingFound(none: Found, record: EncodedRecord, { stands, nowMs }: At): Found {
  if (stands === "invalid") return none;
  const softened = stands === "softened";
  const staleMs = nowMs - record.freshUntilMs;
  return { ...none, record, fresh: staleMs < 0 && !softened, staleMs: Math.max(0, staleMs), softened };
}

function isOwn({ scope }: Policy, { identity }: Plan, record: EncodedRecord | undefined): record is EncodedRecord {
  if (record?.identity === identity) return true;
  cacheEvents.publish({ type: "record-refused", scope, reason: record ? "foreign" : "damaged" });
  return false;
}

interface Judged {
  readonly record: EncodedRecord;
  readonly generations: readonly string[];
  readonly nowMs: number;
}

function standingOf(ground: LookGround, { record, generations, nowMs }: Judged): Standing | Promise<Standing> {
  const stamps = record.stamps.split(",");
  if (stamps.length !== generations.length) return "invalid";
  const standings = stamps.map((stamp, index) => standing(stamp, generations[index] ?? "", nowMs));
  const last = standings.length - 1;
  // Some tag was invalidated, perhaps none of this record's: a record without tags minds none.
  if (ground.policy.tagged && standings[last] !== "fresh" && !standings.slice(0, last).includes("invalid")) {
    const others = standings.slice(0, last);
    if (record.tags === "") return worst(others);
    return standingOfTags(ground, record, nowMs).then((ofTags) => worst([...others, ofTags]));
  }
  return worst(standings);
}

async function standingOfTags({ store }: LookGround, { tags }: EncodedRecord, nowMs: number) {
  const pairs = tags.split(",").map((pair) => pair.split("="));
  const { generations } = await store.read({ generations: pairs.map(([key = ""]) => key) });
  return worst(pairs.map(([, stamp = ""], index) => standing(stamp, generations[index] ?? "", nowMs)));
}

function worst(standings: readonly Standing[]): Standing {
  if (standings.some((each) => each === "invalid")) return "invalid";
  return standings.some((each) => each === "softened") ? "softened" : "fresh";
}

/** A value that was read; undefined when it cannot be, which is told and then is a miss. */
export type Valued = { readonly value: unknown } | undefined;

/** The value of a record. */
export async function valueOf(policy: Policy, record: EncodedRecord): Promise<Valued> {
  if (!record.negative && record.packing !== "plain") return unpackedValue(policy, record);
  const valued = plainValueOf(policy, record);
  if (!valued) cacheEvents.publish({ type: "record-refused", scope: policy.scope, reason: "damaged" });
  return valued;
}

/** The value of a record that is not packed, or that has none. */
export function plainValueOf({ codec }: Policy, record: EncodedRecord): Valued {
  if (record.negative) return { value: null };
  try {
    return { value: codec.decodeText ? codec.decodeText(record.text) : codec.decode(record.payload) };
  } catch {
    return undefined;
  }
}

async function unpackedValue({ scope, codec }: Policy, record: EncodedRecord): Promise<Valued> {
  try {
    return { value: codec.decode(await unpack(record.packing, record.payload, record.unpackedLength)) };
  } catch {
    cacheEvents.publish({ type: "record-refused", scope, reason: "packing" });
    return undefined;
  }
}
