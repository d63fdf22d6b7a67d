import { type Random, seededRandom, systemRandom } from "@sluice/core";

import { drawFault, type ChaosPlan } from "./chaos-plan.ts";
import { createChaos, type ChaosEngine, type ChaosOptions, type Chaotic } from "./chaos.ts";
import { InjectedRedisUnavailableError, InjectedRedisUnknownError } from "./injected-errors.ts";
import { overlay } from "./overlay.ts";

/** The port of `@sluice/redis`, as far as chaos knows it: what writes, what reads and what listens. */
export interface RedisPort {
  /** Runs a script; the first argument is its text, or an object with its `name`. */
  run(...call: never[]): Promise<unknown>;
  /** Reads; the first argument is the name of the command. */
  read(...call: never[]): Promise<unknown>;
  /** Listens to a channel: its name, a listener for messages, and one for doubts. */
  subscribe(...call: never[]): Promise<unknown>;
}

/**
 * Redis with faults. Errors are those of `@sluice/redis`, by code: `ERR_SLUICE_REDIS_UNAVAILABLE` where nothing was
 * done, `ERR_SLUICE_REDIS_UNKNOWN` where a script was run and its answer is lost. A read whose answer is lost is
 * merely unavailable, since it had no effect to be unsure about.
 *
 * A subscription is refused, slow or hangs as a call; none of its messages counts as a call. By the plan, a message is
 * lost (`loseReply`: the listener gets the doubts `"connection-lost"` and `"resubscribed"` instead) or comes twice
 * (`duplicate`). Messages draw from a source of their own, made from `random`, so that their timing leaves the faults
 * of calls alone.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` naming the option.
 * @example
 * ```ts
 * import { chaosRedis } from "@sluice/testing/faults";
 *
 * const stored = new Map<string, number>();
 * const redis = {
 *   run: async (_script: { name: string }, { keys: [key = ""] }: { keys: string[] }) => {
 *     stored.set(key, (stored.get(key) ?? 0) + 1);
 *     return stored.get(key);
 *   },
 *   read: async (_command: string, [key = ""]: string[]) => stored.get(key),
 *   subscribe: async (channel: string) => channel,
 * };
 * const faulty = chaosRedis(redis, { faults: ["none", "loseReply"] });
 * const increment = { name: "increment" };
 * await faulty.run(increment, { keys: ["visits"] }); // => 1
 * await faulty.run(increment, { keys: ["visits"] }).catch((error: { code: string }) => error.code); // => "ERR_SLUICE_REDIS_UNKNOWN"
 * stored.get("visits"); // => 2
 * faulty.chaos.history[1]?.executions; // => 1
 * ```
 */
export function chaosRedis<Port extends RedisPort>(redis: Port, options: ChaosOptions = {}): Port & Chaotic {
  const { random = systemRandom } = options;
  const messageRandom = seededRandom(random.integer(0, 2 ** 31));
  const engine = createChaos({ ...options, random });
  const port = redis as unknown as OpenPort;
  return overlay(redis, {
    chaos: engine.chaos,
    run: (...args: [unknown, ...unknown[]]) =>
      engine.perform({
        operation: "run",
        subject: nameOf(args[0]),
        work: () => port.run(...args),
        refused,
        lost: () => new InjectedRedisUnknownError("connection-lost"),
        gaveUp: () => new InjectedRedisUnknownError("deadline"),
      }),
    read: (...args: [unknown, ...unknown[]]) =>
      engine.perform({
        operation: "read",
        subject: nameOf(args[0]),
        work: () => port.read(...args),
        refused,
        lost: () => new InjectedRedisUnavailableError("deadline"),
      }),
    subscribe: (channel: string, onMessage: (message: string) => void, onDoubt: (doubt: string) => void) =>
      engine.perform({
        operation: "subscribe",
        subject: channel,
        work: () => port.subscribe(channel, faultyListener(channel, onMessage, onDoubt), onDoubt),
        refused,
        lost: refused,
        never: ["loseReply", "duplicate", "reorder"],
      }),
  });

  function faultyListener(channel: string, onMessage: (message: string) => void, onDoubt: (doubt: string) => void) {
    return messageChaos({ channel, onMessage, onDoubt, engine, random: messageRandom, plan: options.plan ?? {} });
  }
}

const refused = (): Error => new InjectedRedisUnavailableError("not-connected");

interface OpenPort {
  run(...args: readonly unknown[]): Promise<unknown>;
  read(...args: readonly unknown[]): Promise<unknown>;
  subscribe(...args: readonly unknown[]): Promise<unknown>;
}

interface MessageChaos {
  readonly channel: string;
  readonly onMessage: (message: string) => void;
  readonly onDoubt: (doubt: string) => void;
  readonly engine: ChaosEngine;
  readonly random: Random;
  readonly plan: ChaosPlan;
}

function messageChaos({ channel, onMessage, onDoubt, engine, random, plan }: MessageChaos): (message: string) => void {
  const { loseReply = 0, duplicate = 0 } = plan;
  return (message) => {
    const drawn = drawFault({ loseReply, duplicate }, random);
    const fault = engine.healed ? "none" : drawn;
    const record = engine.history.begin("message", channel, fault);
    const deliveries = { none: 1, loseReply: 0, duplicate: 2 }[fault as "none" | "loseReply" | "duplicate"];
    record.outcome = fault === "loseReply" ? "lost" : "answered";
    record.executions = deliveries;
    if (fault === "loseReply") for (const doubt of ["connection-lost", "resubscribed"]) onDoubt(doubt);
    for (let delivery = 0; delivery < deliveries; delivery += 1) onMessage(message);
  };
}

function nameOf(subject: unknown): string {
  if (typeof subject === "object" && subject !== null && "name" in subject) return String(subject.name);
  return String(subject);
}
