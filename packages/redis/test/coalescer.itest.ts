import { randomUUID } from "node:crypto";

import { testSeed } from "@sluice/testing";
import { service } from "@sluice/testing/vitest";
import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";

import { createCoalescer, type Entry, type Redis, type RedisConnection, type Reply } from "../src/index.ts";
import { admit, count, poisonable, scriptOf } from "./scripts.ts";
import { connected, rejection } from "./servers.ts";

let redis: RedisConnection;
let sent: Entry[];
let prefix = "";

/** The port, with a note of every script that is sent. */
function noted(port: Redis): Redis {
  const run: Redis["run"] = (script, entry, options) => {
    sent.push(entry);
    return port.run(script, entry, options);
  };
  return Object.assign(Object.create(port) as Redis, { run });
}

function one(key: string, argument: string | number = 1): Entry {
  return { keys: [`${prefix}${key}`], args: [argument] };
}

async function valueOf(key: string): Promise<number> {
  return Number(await redis.read("GET", [`${prefix}${key}`]));
}

beforeEach(() => {
  prefix = `coalesce:${randomUUID()}:`;
  sent = [];
  redis = connected({ url: service("redis").url, role: "coalescer", deadlineMs: 5000 });
});

describe("a coalescer", () => {
  it.each([1, 2, 127, 128])("sends %i calls of one turn as one command", async (calls) => {
    const counter = createCoalescer({ redis: noted(redis), script: count, deadlineMs: 5000 });
    const answers = await Promise.all(
      Array.from({ length: calls }, (_, index) => counter.run(one(`k${index}`, index))),
    );
    expect(answers).toEqual(Array.from({ length: calls }, (_, index) => index));
    expect(sent.length).toBe(1);
  });

  it("begins a second command with the 129th call", async () => {
    const counter = createCoalescer({ redis: noted(redis), script: count, deadlineMs: 5000 });
    const answers = await Promise.all(Array.from({ length: 129 }, (_, index) => counter.run(one(`k${index}`, index))));
    expect(answers.at(-1)).toBe(128);
    expect(sent.length).toBe(2);
    expect(sent[1]).toEqual(one("k128", 128));
  });

  it("sends callers who come back together in two halves, and those who come anew in one command", async () => {
    const counter = createCoalescer({ redis: noted(redis), script: count, deadlineMs: 5000 });
    async function callTwice(key: string): Promise<void> {
      await counter.run(one(key));
      await counter.run(one(key));
    }
    await Promise.all(Array.from({ length: 64 }, (_, index) => callTwice(`k${index}`)));
    expect(await valueOf("k63")).toBe(2);
    await Promise.all(Array.from({ length: 64 }, (_, index) => counter.run(one(`k${index}`))));
    expect(sent.map(({ args: [size] }) => size)).toEqual([64, 32, 32, 64]);
  });

  it("lets an entry see what earlier entries of its batch wrote", async () => {
    const limiter = createCoalescer({ redis: noted(redis), script: admit, deadlineMs: 5000 });
    const answers = await Promise.all(Array.from({ length: 50 }, () => limiter.run(one("hot", 3))));
    expect(answers).toEqual([1, 1, 1, ...Array.from({ length: 47 }, () => 0)]);
    expect(sent.length).toBe(1);
  });

  it("keeps the others whole when one entry of a batch fails", async () => {
    const counter = createCoalescer({ redis: noted(redis), script: poisonable, deadlineMs: 5000 });
    const outcomes = await Promise.allSettled(
      ["good", "poison", "good"].map((argument, index) => counter.run(one(`k${index}`, argument))),
    );
    expect(sent.length).toBe(1);
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect((outcomes[1] as PromiseRejectedResult).reason).toMatchObject({
      code: "ERR_SLUICE_REDIS_REPLY",
      kind: "WRONGTYPE",
    });
    expect([await valueOf("k0"), await valueOf("k1"), await valueOf("k2")]).toEqual([1, 1, 1]);
  });

  it("gives each caller of a failed batch an error of its own", async () => {
    const broken = createCoalescer({ redis, script: scriptOf("broken", "this is no Lua"), deadlineMs: 5000 });
    const [first, second] = await Promise.all([rejection(broken.run(one("a"))), rejection(broken.run(one("b")))]);
    expect(first).toMatchObject({ code: "ERR_SLUICE_REDIS_REPLY" });
    expect(first).not.toBe(second);
  });

  it.each([
    ["nothing", "return nil", null],
    ["false", "return false", null],
    ["a number cut off", "return 1.9", 1],
    ["text", "return 'text'", "text"],
    ["a status", "return redis.status_reply('FINE')", "FINE"],
    ["a list with gaps", "return {1, false, {'x'}}", [1, null, ["x"]]],
    ["an empty list", "return {}", []],
  ])("answers %s in a batch as it does alone", async (_, source, expected) => {
    const alone = createCoalescer({ redis, script: scriptOf("shape", source), deadlineMs: 5000 });
    expect(await alone.run(one("k"))).toEqual(expected);
    expect(await Promise.all([alone.run(one("k")), alone.run(one("k"))])).toEqual([expected, expected]);
  });

  it.each([
    ["raised", "error('NOPE on purpose')"],
    ["returned", "return redis.error_reply('NOPE on purpose')"],
    ["raised by a command", "return redis.call('GET', KEYS[1], 'too many')"],
    ["raised by Lua itself", "return 1 + {}"],
  ])("reports an error that is %s in a batch as it does alone", async (_, source) => {
    const failing = createCoalescer({ redis, script: scriptOf("failing", source), deadlineMs: 5000 });
    const alone = await rejection(failing.run(one("k")));
    const batched = await Promise.all([rejection(failing.run(one("k"))), rejection(failing.run(one("k")))]);
    for (const error of batched) expect(error).toMatchObject({ code: alone["code"] });
  });

  it("carries bytes both ways unchanged", async () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
    const echo = createCoalescer({ redis, script: scriptOf("echo", "return ARGV[1]"), bytes: true, deadlineMs: 5000 });
    const replies = await Promise.all([1, 2].map(() => echo.run({ keys: [], args: [bytes] })));
    for (const reply of replies) expect(Buffer.compare(reply as Uint8Array, bytes)).toBe(0);
  });

  it("carries entries of any number of arguments, also of more than Lua's stack holds", async () => {
    const sum = scriptOf("sum", "local all = 0 for _, each in ipairs(ARGV) do all = all + each end return all");
    const summing = createCoalescer({ redis, script: sum, deadlineMs: 5000 });
    for (const size of [0, 1, 999, 1000, 1001, 9000]) {
      const args = Array.from({ length: size }, (_, index) => index);
      const expected = (size * size - size) / 2;
      expect(await Promise.all([1, 2].map(() => summing.run({ keys: [], args })))).toEqual([expected, expected]);
    }
  });

  it("keeps entries of other shapes apart and in order", async () => {
    const shapes = createCoalescer({
      redis: noted(redis),
      script: scriptOf("shape", "return {#KEYS, #ARGV}"),
      deadlineMs: 5000,
    });
    const entries: Entry[] = [
      { keys: ["{k}1"], args: [] },
      { keys: ["{k}1", "{k}2"], args: ["a"] },
      { keys: ["{k}1", "{k}2"], args: ["b"] },
      { keys: ["{k}1"], args: ["a", "b"] },
    ];
    expect(await Promise.all(entries.map((entry) => shapes.run(entry)))).toEqual([
      [1, 0],
      [2, 1],
      [2, 1],
      [1, 2],
    ]);
    expect(sent.length).toBe(3);
  });

  it("answers 10 000 calls of one turn with four batches underway at most", async () => {
    let underway = 0;
    let most = 0;
    const port = Object.create(redis) as Redis;
    const run: Redis["run"] = async (script, entry, options) => {
      underway += 1;
      most = Math.max(most, underway);
      try {
        return await redis.run(script, entry, options);
      } finally {
        underway -= 1;
      }
    };
    const counter = createCoalescer({ redis: Object.assign(port, { run }), script: count, deadlineMs: 10_000 });
    const answers = await Promise.all(Array.from({ length: 10_000 }, () => counter.run(one("hot"))));
    expect(answers).toEqual(Array.from({ length: 10_000 }, (_, index) => index + 1));
    expect(most).toBe(4);
  });

  it("shares its four places with every other coalescer of the port", async () => {
    const port = noted(redis);
    const coalescers = [count, admit].map((script) => createCoalescer({ redis: port, script, deadlineMs: 10_000 }));
    const all: Promise<Reply>[] = [];
    for (const each of coalescers) for (let call = 0; call < 1000; call += 1) all.push(each.run(one("a", 5000)));
    await new Promise<void>((resolve) => process.nextTick(resolve));
    expect(sent.length).toBe(4);
    expect((await Promise.all(all)).length).toBe(2000);
  });

  it("refuses keys of different slots, alone and in a batch", async () => {
    const counter = createCoalescer({ redis, script: count, deadlineMs: 5000 });
    const across = { keys: ["a", "b"], args: [1] };
    const refused = { code: "ERR_SLUICE_REDIS_CROSS_SLOT", applied: "no" };
    expect(await rejection(counter.run(across))).toMatchObject(refused);
    const both = await Promise.all([rejection(counter.run(across)), rejection(counter.run(across))]);
    expect(both).toMatchObject([refused, refused]);
    const anywhere = createCoalescer({
      redis,
      script: scriptOf("keys", "return KEYS[2]"),
      acrossSlots: true,
      deadlineMs: 5000,
    });
    expect(await Promise.all([anywhere.run(across), anywhere.run(across)])).toEqual(["b", "b"]);
    expect(await anywhere.run(across)).toBe("b");
  });

  it("gives every caller what it would have got alone, whatever comes together", async () => {
    const limiter = createCoalescer({ redis, script: admit, deadlineMs: 5000 });
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 300 }), async (keys) => {
        run += 1;
        const round = run;
        const answers = await Promise.all(keys.map((key) => limiter.run(one(`p${round}:${key}`, 2))));
        const taken = new Map<number, number>();
        const expected = keys.map((key) => {
          const before = taken.get(key) ?? 0;
          taken.set(key, before + 1);
          return before < 2 ? 1 : 0;
        });
        expect(answers).toEqual(expected);
      }),
      { numRuns: 30, seed: testSeed() },
    );
  });
});
