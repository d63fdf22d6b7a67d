import { InvalidArgumentError, type Random } from "@sluice/core";

import type { Turn } from "./bulkhead.ts";
import { LoadCycleError } from "./errors.ts";
import { cacheEvents } from "./events.ts";
import { newestToken, stampOf, tokenMs } from "./generation.ts";
import { jittered } from "./lifetime.ts";
import { isPartOf } from "./load-chain.ts";
import { runLoad, type Loaded, type LoadGround, type LoadOrder } from "./load.ts";
import { LocalLoads, type LocalLoad } from "./local-loads.ts";
import { stampsOf, type Found, type LookGround } from "./look.ts";
import { pack } from "./packing.ts";
import type { Plan, Policy } from "./policy.ts";
import { encodeRecord, idLength, seenId } from "./record.ts";
import { keepLease, leaseMs } from "./renewal.ts";
import type { ReadRequest, Served } from "./served.ts";
import type { Touched } from "./touched.ts";

/** What {@link Loading} needs. */
export interface LoadingGround extends LookGround, LoadGround {
  readonly random: Random;
  readonly touched: Touched;
}

/** What came of asking for a lease. */
export type Claim =
  | { readonly state: "granted"; readonly lead: Lead }
  | { readonly state: "shared"; readonly load: Pick<LocalLoad, "outcome"> }
  | { readonly state: "held"; readonly leftMs: number }
  | { readonly state: "changed" };

/** A lease with what its load may store. */
export interface Lead {
  readonly plan: Plan;
  readonly found: Found;
  readonly holder: string;
  readonly lease: string;
  readonly stamps: readonly string[];
  readonly settleMs: number;
}

/** Leases, loads and stores of one scope. */
export class Loading {
  readonly #ground: LoadingGround;
  readonly #loads = new LocalLoads();

  constructor(ground: LoadingGround) {
    this.#ground = ground;
  }

  /** Asks for the lease of a key. One round trip; another one first where a generation is absent or long untouched. */
  async claim(plan: Plan, found: Found): Promise<Claim> {
    const { store, random, touched, policy } = this.#ground;
    const seen = stampsOf(found);
    const stamps = seen && touched.isRecent(plan.generations) ? seen : await touched.mint(store, plan.generations);
    if (!seen) cacheEvents.publish({ type: "generation-minted", scope: policy.scope });
    const holder = idFrom(random);
    const claimed = await store.acquire({
      key: plan.key,
      holder,
      token: newestToken(stamps),
      leaseMs,
      seen: seenId(found.snapshot.record),
    });
    if (claimed.state === "held" && isPartOf((load) => load.holder === claimed.holder)) return circle(policy.scope);
    const load = this.#loads.shareable(plan.key, claimed, stamps.join(","));
    load?.hasten();
    if (load) return { state: "shared", load };
    if (claimed.state === "granted") {
      const { lease, settleMs } = claimed;
      return { state: "granted", lead: { plan, found, holder, lease, stamps, settleMs } };
    }
    return claimed;
  }

  /** Loads with the lease, and stores. Others of this process share it from now on. */
  lead(lead: Lead, request: ReadRequest, order: Omit<LoadOrder, "loader">): Promise<Served> {
    const { holder, stamps, plan } = lead;
    const turn: Turn = {};
    const outcome = this.#leadNow(lead, { ...order, loader: request.loader, holder, turn });
    const hasten = (): void => this.#ground.bulkhead.hasten(turn);
    this.#loads.offer(plan.key, { holder, stamps: stamps.join(","), outcome, hasten });
    return outcome;
  }

  /** Loads without a lease: nothing is stored. */
  async apart(request: ReadRequest, reason: "bypass" | "degraded" | "wait-over"): Promise<Served> {
    const { value } = await runLoad(this.#ground, { reason, stale: undefined, loader: request.loader });
    return { value, outcome: reason === "wait-over" ? "miss" : reason, storedMs: this.#ground.store.now() };
  }

  async #leadNow(lead: Lead, order: LoadOrder): Promise<Served> {
    const { store, counters, l1 } = this.#ground;
    const beganMs = store.now();
    const { key } = lead.plan;
    // Whoever began the load may go before it ends.
    const watch = l1?.again(lead.found.watch);
    const stopRenewing = keepLease(this.#ground, { key, lease: lead.lease });
    try {
      checkKey(lead.plan);
      const loaded = await runLoad(this.#ground, order);
      const kept = await this.#keep(lead, loaded, beganMs).catch(() => "store-error" as const);
      if (kept !== undefined) counters.skip(kept);
      // Whoever waits for the lease need not wait any longer.
      if (kept !== undefined && kept !== "lease") await store.release(key, lead.holder).catch(() => {});
      return { value: loaded.value, outcome: "miss", storedMs: beganMs + loaded.tookMs };
    } catch (error) {
      await store.release(key, lead.holder).catch(() => {});
      throw error;
    } finally {
      stopRenewing();
      l1?.unwatch(watch);
    }
  }

  /** Stores what was loaded; says why it did not. */
  async #keep(lead: Lead, loaded: Loaded, beganMs: number) {
    const { store, policy, l1 } = this.#ground;
    if (loaded.payload === undefined) return "undefined" as const;
    const freshMs = this.#freshMs(lead, loaded.ttlMs);
    if (freshMs < 1) return "ttl-0" as const;
    const tags = await this.#stampedTags(lead, loaded.tags);
    if (tags === undefined) return "tags-moved" as const;
    const storedMs = beganMs + loaded.tookMs;
    const record = await recordFrom(policy, lead, { loaded, payload: loaded.payload, tags, storedMs, freshMs });
    if (record.length > policy.maxBytes) return "too-large" as const;
    const keepMs = freshMs + Math.max(policy.staleOnErrorMs, policy.staleWhileRevalidateMs);
    const isStored = await store.put({ key: lead.plan.key, lease: lead.lease, record, keepMs: Math.ceil(keepMs) });
    if (!isStored) return "lease" as const;
    const { watch } = lead.found;
    // A copy knows nothing of tags, and lives no longer than what it was copied from.
    if (watch && loaded.tags.length === 0) {
      l1?.keep(lead.plan.key, watch, { value: loaded.value, storedMs, size: record.length, leftMs: freshMs });
    }
    return undefined;
  }

  /** How long the value is fresh: shorter by chance, and short while replicas may lag behind an invalidation. */
  #freshMs({ stamps, settleMs }: Lead, ttlMs: number): number {
    const { policy, random, store } = this.#ground;
    const freshMs = jittered(ttlMs, policy.jitter, random);
    if (policy.settleMs === 0) return freshMs;
    const isSettling = settleMs > 0 || store.now() < tokenMs(newestToken(stamps)) + policy.settleMs;
    return isSettling ? Math.min(freshMs, policy.settleMs) : freshMs;
  }

  /** The tags with their stamps as of before the load; undefined when some tag was invalidated during the load. */
  async #stampedTags({ plan, stamps }: Lead, tags: readonly string[]): Promise<string | undefined> {
    if (tags.length === 0) return "";
    const { policy, store, touched } = this.#ground;
    const anyTag = plan.generations.at(-1) ?? "";
    const keys = tags.map((tag) => policy.family.tag(tag));
    // One step, so that no invalidation lies between the two. The one of any tag is replaced before a tag's own.
    const [present, ...values] = await store.mint([anyTag, ...keys], touched.keepMs);
    if (present === undefined || stampOf(present) !== stamps.at(-1)) return undefined;
    return keys.map((key, index) => `${key}=${stampOf(values[index] ?? "")}`).join(",");
  }
}

/** As if the load that this one is part of had failed already: what it has is served if it may, else it is told. */
function circle(scope: string): Claim {
  const outcome = Promise.reject(new LoadCycleError(scope));
  outcome.catch(() => {});
  return { state: "shared", load: { outcome } };
}

const longestIdentity = 65_535;

/** A format of the application's own may make what no record can hold, or what is in another slot than its lease. */
function checkKey({ key, identity }: Plan): void {
  if (!/^[!-z|~]+$/.test(key)) {
    throw new InvalidArgumentError("key", "a format whose texts have no blanks, no braces and only ASCII", key);
  }
  if (identity.length > longestIdentity || !/^[ -~]*$/.test(identity)) {
    throw new InvalidArgumentError(
      "key",
      `a format whose identities have up to ${longestIdentity} characters of ASCII`,
      identity,
    );
  }
}

interface Content {
  readonly loaded: Loaded;
  readonly payload: Buffer;
  readonly tags: string;
  readonly storedMs: number;
  readonly freshMs: number;
}

async function recordFrom({ compressFrom }: Policy, lead: Lead, content: Content): Promise<Buffer> {
  const { loaded, payload, tags, storedMs, freshMs } = content;
  const plain = { packing: "plain", payload } as const;
  return encodeRecord({
    ...(payload.length >= compressFrom ? await pack(payload) : plain),
    id: lead.holder,
    negative: loaded.value === null,
    storedMs,
    freshUntilMs: storedMs + freshMs,
    loadMs: Math.floor(loaded.tookMs),
    unpackedLength: payload.length,
    identity: lead.plan.identity,
    stamps: lead.stamps.join(","),
    tags,
  });
}

function idFrom(random: Random): string {
  return Buffer.from(random.bytes(9)).toString("base64url").slice(0, idLength);
}
