import { randomUUID } from "node:crypto";

import { createFakeClock } from "@sluice/testing";
import { service } from "@sluice/testing/vitest";
import { beforeEach, describe, expect, it } from "vitest";

import {
  createCoalescer,
  createReader,
  type Entry,
  type Redis,
  type RedisConnection,
  type Reply,
} from "../src/index.ts";
import { claim, count, scriptOf } from "./scripts.ts";
import { connected, rejection } from "./servers.ts";

let redis: RedisConnection;
let prefix = "";

function one(key: string, argument: string | number = 1): Entry {
  return { keys: [`${prefix}${key}`], args: [argument] };
}

beforeEach(() => {
  prefix = `departures:${randomUUID()}:`;
  redis = connected({ url: service("redis").url, role: "departures", deadlineMs: 5000 });
});

/** A port whose answers wait for the test. */
function held(): {
  readonly port: Redis;
  readonly answers: ((reply: Reply) => void)[];
  readonly failures: ((error: Error) => void)[];
} {
  const answers: ((reply: Reply) => void)[] = [];
  const failures: ((error: Error) => void)[] = [];
  const run: Redis["run"] = () =>
    new Promise((resolve, reject) => {
      answers.push(resolve);
      failures.push(reject);
    });
  return { port: Object.assign(Object.create(redis) as Redis, { run }), answers, failures };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("a caller that goes before its answer", () => {
  it("is not applied if the caller leaves before its entry is sent", async () => {
    const { port, answers } = held();
    const counter = createCoalescer({ redis: port, script: count, deadlineMs: 5000 });
    const first = Array.from({ length: 512 }, () => counter.run(one("a")));
    await settled();
    expect([answers.length, counter.waiting]).toEqual([4, 0]);
    const leaving = new AbortController();
    const [stays, gone] = [counter.run(one("c")), counter.run(one("b"), { signal: leaving.signal })];
    await settled();
    expect(counter.waiting).toBe(2);
    leaving.abort(new Error("the client hung up"));
    expect(await rejection(gone)).toMatchObject({
      code: "ERR_SLUICE_REDIS_UNAVAILABLE",
      applied: "no",
      reason: "cancelled",
    });
    for (const answer of answers.slice()) answer([Array.from({ length: 128 }, () => 7), []]);
    expect(await Promise.all(first)).toEqual(Array.from({ length: 512 }, () => 7));
    await settled();
    // Alone, thus a plain answer: what was cancelled is not in it.
    answers.at(-1)?.(8);
    expect([await stays, answers.length]).toEqual([8, 5]);
  });

  it("is compensated if the caller leaves after its entry is sent", async () => {
    const { port, answers } = held();
    const undone: [Entry, Reply][] = [];
    const locks = createCoalescer({
      redis: port,
      script: claim,
      deadlineMs: 5000,
      compensate: (entry, reply) => void undone.push([entry, reply]),
    });
    const leaving = new AbortController();
    const [gone, stays, failed] = [
      locks.run(one("a"), { signal: leaving.signal }),
      locks.run(one("b")),
      locks.run(one("c"), { signal: leaving.signal }),
    ];
    await settled();
    leaving.abort();
    expect(await rejection(gone)).toMatchObject({
      code: "ERR_SLUICE_REDIS_UNKNOWN",
      applied: "unknown",
      reason: "cancelled",
    });
    expect(await rejection(failed)).toMatchObject({ code: "ERR_SLUICE_REDIS_UNKNOWN" });
    expect(undone).toEqual([]);
    answers[0]?.([
      [1, 1, null],
      [3, "ERR poison"],
    ]);
    expect(await stays).toBe(1);
    expect(undone).toEqual([[one("a"), 1]]);
  });

  it("is compensated when the answer comes after the deadline", async () => {
    const clock = createFakeClock();
    const { port, answers } = held();
    const undone: string[] = [];
    const locks = createCoalescer({
      redis: port,
      script: claim,
      clock,
      deadlineMs: 100,
      compensate: ({ keys }) => void undone.push(...keys),
    });
    const calls = [rejection(locks.run(one("a"))), rejection(locks.run(one("b")))];
    await settled();
    await clock.advance(100);
    for (const error of await Promise.all(calls))
      expect(error).toMatchObject({ code: "ERR_SLUICE_REDIS_UNKNOWN", reason: "deadline" });
    answers[0]?.([[1, 1], []]);
    await settled();
    expect(undone).toEqual([`${prefix}a`, `${prefix}b`]);
  });

  it("is told which entries timed out unsent, on one timer", async () => {
    const clock = createFakeClock();
    const { port } = held();
    const counter = createCoalescer({ redis: port, script: count, clock, deadlineMs: 100 });
    const calls = Array.from({ length: 600 }, () => rejection(counter.run(one("a"))));
    await settled();
    expect([counter.waiting, clock.pendingTimers]).toEqual([88, 1]);
    await clock.advance(100);
    const codes = (await Promise.all(calls)).map(({ applied }) => applied);
    expect(codes).toEqual([...Array.from({ length: 512 }, () => "unknown"), ...Array.from({ length: 88 }, () => "no")]);
    expect(counter.waiting).toBe(0);
  });

  it("leaves no listener on a signal that lives on", async () => {
    const counter = createCoalescer({ redis, script: count, deadlineMs: 5000 });
    const signal = new AbortController().signal;
    let listeners = 0;
    const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
    signal.addEventListener = (...event: Parameters<typeof add>) => ((listeners += 1), add(...event));
    signal.removeEventListener = (...event: Parameters<typeof remove>) => ((listeners -= 1), remove(...event));
    await Promise.all([1, 2, 3].map(() => counter.run(one("a"), { signal })));
    expect(listeners).toBe(0);
  });

  it("does not hold up another coalescer of the port", async () => {
    const { port, answers } = held();
    const busy = createCoalescer({ redis: port, script: count, deadlineMs: 5000 });
    const leaving = createCoalescer({ redis: port, script: claim, deadlineMs: 5000 });
    const waiting = createCoalescer({ redis: port, script: count, deadlineMs: 5000 });
    const sent = Array.from({ length: 512 }, () => busy.run(one("a")));
    await settled();
    const gone = new AbortController();
    const left = rejection(leaving.run(one("b"), { signal: gone.signal }));
    const next = waiting.run(one("c"));
    await settled();
    gone.abort();
    await left;
    // One place becomes free, and the first in line has nothing left to send.
    answers[0]?.([Array.from({ length: 128 }, () => 1), []]);
    await Promise.all(sent.slice(0, 128));
    await settled();
    expect(answers.length).toBe(5);
    answers[4]?.(9);
    expect(await next).toBe(9);
    for (const answer of answers.slice(1, 4)) answer([Array.from({ length: 128 }, () => 1), []]);
    await Promise.all(sent);
  });

  it("cannot fill the memory: what waits is bounded", async () => {
    const { port } = held();
    const counter = createCoalescer({ redis: port, script: count, maxWaiting: 3, deadlineMs: 5000 });
    const calls = Array.from({ length: 5 }, () => counter.run(one("a")));
    for (const call of calls.slice(0, 3)) call.catch(() => {});
    expect(await rejection(calls[3] as Promise<Reply>)).toMatchObject({
      code: "ERR_SLUICE_REDIS_UNAVAILABLE",
      reason: "overloaded",
    });
    await expect(calls[4]).rejects.toMatchObject({ applied: "no" });
  });
});

describe("a reader", () => {
  it("makes one MGET of all reads of a turn, equal keys once", async () => {
    const asked: unknown[] = [];
    const read: Redis["read"] = (command, args, options) => {
      asked.push([command, args]);
      return redis.read(command, args, options);
    };
    const reader = createReader({ redis: Object.assign(Object.create(redis) as Redis, { read }), deadlineMs: 5000 });
    await redis.run(count, one("a", 5));
    const [a, b] = [`${prefix}a`, `${prefix}b`];
    const values = await Promise.all([reader.get(a), reader.getAll([b, a, b]), reader.get(b), reader.getAll([])]);
    expect(values).toEqual(["5", [null, "5", null], null, []]);
    expect(asked).toEqual([["MGET", [a, b]]]);
  });

  it("answers bytes on request", async () => {
    const bytes = Uint8Array.from([0, 255, 10, 13]);
    await redis.run(scriptOf("set", "redis.call('SET', KEYS[1], ARGV[1], 'PX', 5000)"), {
      keys: [`${prefix}b`],
      args: [bytes],
    });
    const value = await createReader({ redis, bytes: true, deadlineMs: 5000 }).get(`${prefix}b`);
    expect([...(value ?? [])]).toEqual([0, 255, 10, 13]);
  });
});
