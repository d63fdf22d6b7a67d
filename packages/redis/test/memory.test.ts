import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { expect, it } from "vitest";

import { createCoalescer, createReader, createRedis, type Argument, type RedisDriver } from "../src/index.ts";
import { scriptOf } from "./scripts.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

const long = "k".repeat(10_000);
const hostile: readonly ((number: number) => string)[] = [
  (number) => `{${number}`,
  (number) => `}{${number}}{`,
  (number) => `{}${number}`,
  (number) => `\r\n$${number}\r\n*`,
  (number) => `__proto__${number}`,
  (number) => `{constructor}${number}`,
  (number) => `\uD800${number}\uDFFF`,
  (number) => `\0${number}💥`,
];

function keyOf(number: number): string {
  return number % 1000 === 0 ? `${long}${number}` : (hostile[number % hostile.length] ?? String)(number);
}

const script = scriptOf("any", "return 1");

function batchReply([, keys, ...rest]: readonly Argument[]): readonly unknown[] {
  return [Array.from({ length: Number(rest[Number(keys)]) }, () => 1), []];
}

/** A Cluster of a hundred servers that answers whatever it is asked at once. */
const anything: RedisDriver = {
  client: "none",
  warnings: [],
  resends: false,
  sharded: true,
  shardOf: (slot) => `server-${slot % 100}`,
  servers: () => [],
  isReady: () => true,
  connect: () => {},
  watch: () => () => {},
  send: async ({ name, args }) => (name === "EVALSHA" && args[0] !== script.sha1 ? batchReply(args) : args),
  failureOf: (error) => ({ kind: "lost", message: String(error) }),
  openSubscriber: () => Promise.reject(new Error("nobody listens")),
  close: async () => {},
};

const million = 1_000_000;
const together = 2000;

// It works for ten seconds without a pause, and others may want the processor meanwhile.
it("remembers nothing of a million hostile keys", { timeout: 120_000 }, async () => {
  const redis = createRedis(anything);
  const coalescer = createCoalescer({ redis, script });
  const reader = createReader({ redis });
  function leaveAtOnce(key: string): Promise<unknown> {
    const leaving = new AbortController();
    const outcome = coalescer.run({ keys: [key], args: [key] }, { signal: leaving.signal });
    leaving.abort("gone");
    return outcome.catch(() => undefined);
  }
  const uses: readonly ((key: string) => Promise<unknown>)[] = [
    (key) => coalescer.run({ keys: [key], args: [key] }),
    (key) => reader.get(key),
    (key) => redis.read("EXISTS", [key]),
    (key) => redis.run(script, { keys: [key], args: [] }),
  ];
  // An error costs more than a call, for its stack: they are few.
  const useOf = (number: number) => (number % 64 === 0 ? leaveAtOnce : uses[number % uses.length]) ?? leaveAtOnce;
  async function useAll(from: number, to: number): Promise<void> {
    for (let first = from; first < to; first += together) {
      const numbers = Array.from({ length: together }, (_, index) => first + index);
      await Promise.all(numbers.map((number) => useOf(number)(keyOf(number))));
    }
  }
  await useAll(0, 20_000);
  collectGarbage();
  const beforeBytes = process.memoryUsage().heapUsed;
  await useAll(20_000, million);
  collectGarbage();
  const keptBytes = process.memoryUsage().heapUsed - beforeBytes;
  expect(coalescer.waiting).toBe(0);
  expect(keptBytes).toBeLessThan(1_000_000);
});
