import type { Random } from "@sluice/core";

import { batchOf, pack, unpack, type Nonce } from "./batch.ts";
import type { Settle } from "./calls.ts";
import { directly, type Execution } from "./direct.ts";
import { ownError, RedisReplyError, RedisUnknownError } from "./errors.ts";
import type { CallOptions, Entry, Redis, Reply, Script } from "./port.ts";
import { slotOf, tagOf } from "./slot.ts";
import type { Job } from "./turn-queue.ts";

/** What {@link createSender} needs to know. */
export interface SenderOptions {
  readonly redis: Redis;
  readonly script: Script;
  readonly random: Random;
  /** How each call is made. */
  readonly call: CallOptions;
}

type Jobs = readonly Job<Entry, Reply>[];

const keepMs = 5000;

interface Shipment extends Execution {
  readonly deliver: (jobs: Jobs, reply: Reply) => void;
}

/** One command and who waits for it. A class, as there is one per command and its methods are then made once. */
class Sent implements Execution, Settle {
  readonly script: Script;
  readonly entry: Entry;
  readonly call: CallOptions;
  readonly #jobs: Jobs;
  readonly #deliver: Shipment["deliver"];
  readonly #freed: () => void;

  constructor(jobs: Jobs, { script, entry, call, deliver }: Shipment, freed: () => void) {
    this.script = script;
    this.entry = entry;
    this.call = call;
    this.#jobs = jobs;
    this.#deliver = deliver;
    this.#freed = freed;
  }

  resolve(reply: Reply): void {
    this.#freed();
    this.#deliver(this.#jobs, reply);
  }

  reject(error: Error): void {
    this.#freed();
    for (const job of this.#jobs) job.fail(ownError(error));
    if (error instanceof RedisUnknownError) this.#await(error.late);
  }

  /** Delivers what comes after all, to those whose callers have gone. */
  #await(late: Promise<Reply> | undefined): void {
    late?.then((reply) => this.#deliver(this.#jobs, reply)).catch(() => {});
  }
}

/** Sends jobs as one command, or in a Cluster as one per slot, and settles each. */
export function createSender({ redis, script, random, call }: SenderOptions) {
  const nextNonce = createNonces(random);
  const run = directly(redis);
  const batchCall: CallOptions = { ...call, acrossSlots: !redis.sharded };

  function shipmentOf(jobs: Jobs, slot: number | undefined): Shipment {
    const [first] = jobs;
    if (first && isAlone(redis, jobs)) return { script, entry: first.work, call, deliver: deliverOne };
    const nonce = redis.resends ? nextNonce(slot) : undefined;
    const entry = pack(
      jobs.map(({ work }) => work),
      nonce,
    );
    return { script: batchOf(script), entry, call: batchCall, deliver: deliverAll };
  }

  return (jobs: Jobs, freed: () => void): void => {
    if (!redis.sharded) return run(new Sent(jobs, shipmentOf(jobs, undefined), freed));
    const bySlot = Map.groupBy(jobs, ({ work: { keys } }) => (keys[0] === undefined ? undefined : slotOf(keys[0])));
    let left = bySlot.size;
    const oneFreed = (): void => {
      left -= 1;
      if (left === 0) freed();
    };
    for (const [slot, group] of bySlot) run(new Sent(group, shipmentOf(group, slot), oneFreed));
    return undefined;
  };
}

/** Whether the jobs go as a plain call: a client that resends needs the nonce, which only a batch has. */
function isAlone(redis: Redis, jobs: Jobs): boolean {
  return jobs.length === 1 && !redis.resends;
}

function deliverOne([job]: Jobs, reply: Reply): void {
  job?.answer(reply);
}

function deliverAll(jobs: Jobs, reply: Reply): void {
  const outcomes = unpack(reply, jobs.length);
  for (const [index, job] of jobs.entries()) {
    const outcome = outcomes[index] ?? { error: "ERR the batch has no answer for this entry" };
    if ("answer" in outcome) job.answer(outcome.answer);
    else job.fail(new RedisReplyError(outcome.error));
  }
}

function createNonces(random: Random): (slot: number | undefined) => Nonce {
  let prefix: string | undefined;
  let number = 0;
  return (slot) => {
    prefix ??= Buffer.from(random.bytes(12)).toString("base64url");
    number += 1;
    // In a Cluster in the slot of the entries.
    const tag = slot === undefined ? "" : `${tagOf(slot)}:`;
    return { key: `sluice:once:${tag}${prefix}:${number.toString(36)}`, keepMs };
  };
}
