import { describeNeeding } from "@sluice/testing/vitest";
import { Redis as Ioredis } from "ioredis";
import { expect, it, onTestFinished } from "vitest";

import {
  createCoalescer,
  createReader,
  createRedis,
  type Argument,
  type RedisConnection,
  type RedisDriver,
} from "../src/index.ts";
import { everyClient } from "./every-client.ts";
import { scriptOf } from "./scripts.ts";
import { ownServer, rejection, timed } from "./servers.ts";

const echo = scriptOf("echo", "return {#KEYS, KEYS[1] or 'none', ARGV[1] or 'none'}");
const two = { ...scriptOf("two", "return KEYS[2]"), keys: 2 };

// What code without types passes by mistake.
const noArguments: readonly unknown[] = [
  undefined,
  null,
  {},
  ["a"],
  true,
  10n,
  Symbol("x"),
  () => 1,
  new Date(0),
  new ArrayBuffer(3),
  Number.NaN,
  Number.POSITIVE_INFINITY,
];
const noKeys: readonly unknown[] = [undefined, null, 5, {}, ["a"], Buffer.from("a")];
const noLists: readonly unknown[] = [undefined, null, "abc", { length: 1 }];

function refused(redis: RedisConnection): Promise<Error & Record<string, unknown>>[] {
  const calls = [
    ...noArguments.map((value) => redis.run(echo, { keys: [], args: [1, value as Argument] })),
    ...noArguments.map((value) => redis.read("GET", [value as Argument])),
    ...noKeys.map((key) => redis.run(echo, { keys: ["{a}", key as string], args: [] })),
    ...noLists.map((list) => redis.run(echo, { keys: list as string[], args: [] })),
    ...noLists.map((list) => redis.run(echo, { keys: [], args: list as Argument[] })),
    ...noLists.map((list) => redis.read("MGET", list as Argument[])),
    redis.run(two, { keys: ["a"], args: [] }),
  ];
  return calls.map(rejection);
}

describeNeeding({ redis: "real" }, "a call with arguments of a wrong type", () => {
  it.each(everyClient)("is refused before it is sent, through $name on $on", async ({ open, engine }) => {
    const server = await ownServer(undefined, engine);
    const redis = await open(server.port);
    for (const error of await Promise.all(refused(redis))) {
      expect(error).toMatchObject({ code: "ERR_SLUICE_INVALID_ARGUMENT" });
      expect(error.message).toMatch(/^(keys|args) must be .*, got /);
    }
    const admin = new Ioredis(server.port);
    onTestFinished(() => admin.disconnect());
    expect(await admin.info("commandstats")).not.toMatch(/cmdstat_(eval|evalsha|get|mget):/);
    // No call was left waiting, so nothing holds up the end.
    expect(await timed(() => redis.close())).toBeLessThan(1000);
  });

  it.each(everyClient)("fails no other of its batch, through $name on $on", async ({ open, engine }) => {
    const redis = await open((await ownServer(undefined, engine)).port);
    const coalescer = createCoalescer({ redis, script: echo, deadlineMs: 5000 });
    const reader = createReader({ redis, deadlineMs: 5000 });
    const refusal = { status: "rejected", reason: { code: "ERR_SLUICE_INVALID_ARGUMENT" } };
    const run = (argument: unknown) => coalescer.run({ keys: ["a"], args: [argument as Argument] });
    const echoed = { status: "fulfilled", value: [1, "a", "1"] };
    expect(await Promise.allSettled([run(1), run(null), run({}), run(1)])).toMatchObject([
      echoed,
      refusal,
      refusal,
      echoed,
    ]);
    const none = null as unknown as string;
    const reads = [reader.get("a"), reader.get(none), reader.getAll(["a", none]), reader.get("b")];
    const nothing = { status: "fulfilled", value: null };
    expect(await Promise.allSettled<unknown>(reads)).toMatchObject([nothing, refusal, refusal, nothing]);
  });

  it.each(everyClient)("is not one of any text or size, through $name on $on", async ({ open, engine }) => {
    const redis = await open((await ownServer(undefined, engine)).port);
    const strange = ["", "{", "}{", "a b\r\n$3\r\n", "\0", "💥", "k".repeat(1_000_000), "__proto__"];
    for (const text of strange) expect(await redis.run(echo, { keys: [text], args: [text] })).toEqual([1, text, text]);
    for (const number of [0, -1, 1.5, 2 ** 53]) {
      expect(await redis.run(echo, { keys: [], args: [number] })).toEqual([0, "none", String(number)]);
    }
    const bytes = new DataView(new Uint8Array([0, 65, 66, 0]).buffer, 1, 2);
    expect(await redis.run(echo, { keys: [], args: [bytes as unknown as Uint8Array] })).toEqual([0, "none", "AB"]);
    const length = scriptOf("length", "return #ARGV");
    const many = Array.from({ length: 100_000 }, (_, index) => index);
    expect(await redis.run(length, { keys: [], args: many }, { deadlineMs: 10_000 })).toBe(100_000);
  });
});

const throwing: RedisDriver = {
  client: "throwing",
  warnings: [],
  resends: false,
  sharded: false,
  shardOf: () => "",
  servers: () => [],
  isReady: () => true,
  connect: () => {},
  watch: () => () => {},
  send: () => {
    throw new Error("the client is broken");
  },
  failureOf: (error) => ({ kind: "lost", message: String(error) }),
  openSubscriber: () => Promise.reject(new Error("nobody listens")),
  close: async () => {},
};

it("a driver that throws fails its call, and neither takes a place for good nor holds up the end", async () => {
  const redis = createRedis(throwing, { maxOutstanding: 1, outageAfter: 100 });
  for (let call = 0; call < 3; call += 1) {
    const error = await rejection(redis.run(echo, { keys: [], args: [] }));
    expect(error).toMatchObject({ code: "ERR_SLUICE_REDIS_UNKNOWN", reason: "connection-lost" });
    expect(error.message).toContain("the client is broken");
  }
  await redis.close();
});
