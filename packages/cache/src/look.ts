import { cacheEvents } from "./events.ts";
import { stampOf, standing, type Standing } from "./generation.ts";
import type { Invalidator } from "./invalidator.ts";
import type { L1, Watch } from "./l1.ts";
import { unpack } from "./packing.ts";
import type { Plan, Policy } from "./policy.ts";
import { decodeRecord, seenId, type StoredRecord } from "./record.ts";
import type { CacheStore, Snapshot } from "./store.ts";

/** What a look at the store found. */
export interface Found {
  /** A record that stands on the present generations, fresh or past its time. */
  readonly record: StoredRecord | undefined;
  /** Its time is not over, and no soft flush came since. */
  readonly fresh: boolean;
  /** How long ago its time was over; 0 before. In ms. */
  readonly staleMs: number;
  /** It was softened by a flush that lets it be served while it is reloaded. */
  readonly softened: boolean;
  /** The stamps of a load that begins now; undefined when a generation is absent. */
  readonly stamps: readonly string[] | undefined;
  /** The id of whatever record is there. */
  readonly seen: Uint8Array;
  readonly watch: Watch | undefined;
}

/** What {@link look} needs. */
export interface LookGround {
  readonly store: CacheStore;
  readonly l1: L1 | undefined;
  readonly invalidator: Invalidator;
  readonly policy: Policy;
}

/** The store was not told about an invalidation by this process yet. */
export class PoisonedError extends Error {}

/**
 * Reads a record and judges it. One round trip; one more for a record with tags, when some tag was invalidated since.
 *
 * @throws the store's error; {@link PoisonedError}.
 */
export async function look(ground: LookGround, plan: Plan): Promise<Found> {
  const { store, l1, invalidator } = ground;
  for (let attempt = 0; ; attempt += 1) {
    if (invalidator.journal.isPoisoned(plan.keys)) throw new PoisonedError("an invalidation waits for the store");
    const watch = l1?.watch(plan.keys);
    try {
      const snapshot = await store.read(plan);
      if (attempt > 1 || !hasLost(ground, plan, snapshot)) return await judge(ground, plan, { snapshot, watch });
    } catch (error) {
      l1?.unwatch(watch);
      throw error;
    }
    l1?.unwatch(watch);
    if (!(await invalidator.replay("lost"))) throw new PoisonedError("an invalidation waits for the store");
  }
}

/** Whether the store shows that it has forgotten an invalidation by this process which it had confirmed. */
function hasLost({ invalidator: { journal } }: LookGround, plan: Plan, { record, generations }: Snapshot): boolean {
  if (journal.isEmpty) return false;
  if (plan.generations.some((key, index) => journal.hasLost(key, generations[index] ?? null))) return true;
  const stored = record === null ? undefined : decodeRecord(record);
  return stored !== undefined && journal.outlived(plan.key, stored.storedMs - stored.loadMs);
}

interface Seen {
  readonly snapshot: Snapshot;
  readonly watch: Watch | undefined;
}

async function judge(ground: LookGround, plan: Plan, { snapshot, watch }: Seen): Promise<Found> {
  const { generations } = snapshot;
  const isWhole = generations.every((generation) => generation !== null);
  const found = {
    record: undefined,
    fresh: false,
    staleMs: 0,
    softened: false,
    stamps: isWhole ? generations.map(stampOf) : undefined,
    seen: seenId(snapshot.record),
    watch,
  };
  if (snapshot.record === null || !isWhole) return found;
  const record = recordOf(ground.policy, plan, snapshot.record);
  if (!record) return found;
  const nowMs = ground.store.now();
  const stands = await standingOf(ground, { record, generations, nowMs });
  if (stands === "invalid") return found;
  const softened = stands === "softened";
  const staleMs = nowMs - record.freshUntilMs;
  return { ...found, record, fresh: staleMs < 0 && !softened, staleMs: Math.max(0, staleMs), softened };
}

function recordOf({ scope }: Policy, { identity }: Plan, bytes: Uint8Array): StoredRecord | undefined {
  const record = decodeRecord(bytes);
  if (!record) {
    cacheEvents.publish({ type: "record-refused", scope, reason: "damaged" });
    return undefined;
  }
  if (record.identity === identity) return record;
  cacheEvents.publish({ type: "record-refused", scope, reason: "foreign" });
  return undefined;
}

interface Judged {
  readonly record: StoredRecord;
  readonly generations: readonly string[];
  readonly nowMs: number;
}

async function standingOf(ground: LookGround, judged: Judged): Promise<Standing> {
  const { record, generations, nowMs } = judged;
  if (record.stamps === generations.join(",")) return "fresh";
  const stamps = record.stamps.split(",");
  if (stamps.length !== generations.length) return "invalid";
  const standings = stamps.map((stamp, index) => standing(stamp, generations[index] ?? "", nowMs));
  const last = standings.length - 1;
  // Some tag was invalidated, perhaps none of this record's: a record without tags minds none.
  if (ground.policy.tagged && standings[last] !== "fresh" && !standings.slice(0, last).includes("invalid")) {
    standings[last] = record.tags === "" ? "fresh" : await standingOfTags(ground, record, nowMs);
  }
  return worst(standings);
}

async function standingOfTags({ store }: LookGround, { tags }: StoredRecord, nowMs: number) {
  const pairs = tags.split(",").map((pair) => pair.split("="));
  const { generations } = await store.read({ generations: pairs.map(([key = ""]) => key) });
  return worst(pairs.map(([, stamp = ""], index) => standing(stamp, generations[index] ?? "", nowMs)));
}

function worst(standings: readonly Standing[]): Standing {
  if (standings.some((each) => each === "invalid")) return "invalid";
  return standings.some((each) => each === "softened") ? "softened" : "fresh";
}

/** The value of a record; undefined when it cannot be read, which is told and then is a miss. */
export async function valueOf({ scope, codec }: Policy, record: StoredRecord): Promise<{ value: unknown } | undefined> {
  if (record.negative) return { value: null };
  try {
    const { packing, payload, unpackedLength } = record;
    return { value: codec.decode(packing === "plain" ? payload : await unpack(packing, payload, unpackedLength)) };
  } catch {
    cacheEvents.publish({ type: "record-refused", scope, reason: record.packing === "plain" ? "damaged" : "packing" });
    return undefined;
  }
}
