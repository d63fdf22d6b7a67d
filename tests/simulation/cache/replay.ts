import assert from "node:assert/strict";

import type { CacheStore, Claimed } from "@sluice/cache";

import type { ServerStep } from "../models/lease-design.ts";

/** A real store to replay on. */
export interface ReplayGround {
  readonly store: CacheStore;
  /** Begins the keys of this replay. */
  readonly prefix: string;
  /** Makes the server lose a key. */
  readonly evict: (key: string) => Promise<void>;
}

const keepMs = 60_000;

function holderOf(getter: number): string {
  return `getter-${getter}-row`;
}

/** Asks a real store what the model's server was asked, step by step, and compares every answer. */
export async function replay({ store, prefix, evict }: ReplayGround, steps: readonly ServerStep[]): Promise<void> {
  const key = `${prefix}:row`;
  const generation = `sl:{${prefix}}:g`;
  // Tokens of the model are numbers: each stands for one of the store's, and both are ordered alike.
  const tokens = new Map<number, string>();
  const leases = new Map<number, string>();
  const expectToken = (number: number | null, token: string | null): void => {
    if (number === null || token === null) return assert.equal(token, number);
    const known = tokens.get(number);
    if (known === undefined) tokens.set(number, token);
    else assert.equal(token, known);
  };

  async function acquire({ getter, token, holder }: Extract<ServerStep, { ask: "acquire" }>): Promise<void> {
    const { record } = await store.read({ key, generations: [] });
    const seen = record === null ? new Uint8Array() : record.subarray(4, 16);
    const claim = { key, holder: holderOf(getter), token: tokens.get(token) ?? "", leaseMs: keepMs, seen };
    const claimed: Claimed = await store.acquire(claim);
    if (claimed.state === "granted") leases.set(getter, claimed.lease);
    const owner = claimed.state === "held" ? claimed.holder : claimed.state === "granted" ? claim.holder : "nobody";
    assert.equal(owner, holderOf(holder));
  }

  async function read({ token, stored }: Extract<ServerStep, { ask: "read" }>): Promise<void> {
    const { record, generations } = await store.read({ key, generations: [generation] });
    expectToken(token, generations[0] ?? null);
    const text = stored && `${stored.version}/${tokens.get(stored.stamp)}`;
    assert.equal(record && Buffer.from(record).subarray(16).toString(), text);
  }

  async function perform(step: ServerStep): Promise<void> {
    switch (step.ask) {
      case "read":
        return read(step);
      case "mint":
        return expectToken(step.token, (await store.mint([generation], keepMs))[0] ?? null);
      case "acquire":
        return acquire(step);
      case "store": {
        const content = `${step.version}/${tokens.get(step.stamp)}`;
        const record = Buffer.from(`SL01${holderOf(step.getter)}${content}`);
        const lease = leases.get(step.getter) ?? "";
        return assert.equal(await store.put({ key, lease, record, keepMs }), step.stored);
      }
      case "flush":
        return expectToken(step.token, await store.bump({ generations: [generation], keepMs }));
      case "drop":
        return void (await store.drop(key, 0));
      case "evict":
        return evict({ data: key, lease: `{${key}}:l`, generation }[step.what]);
    }
  }

  for (const [index, step] of steps.entries()) {
    try {
      await perform(step);
    } catch (error) {
      throw new Error(`Step ${index} of ${JSON.stringify(steps)}`, { cause: error });
    }
  }
}
