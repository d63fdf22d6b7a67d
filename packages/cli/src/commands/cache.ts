import {
  cacheOperations,
  type CacheOperations,
  type Flushed,
  type Inspected,
  type PrefixStats,
} from "@sluice/cache/redis";
import { parseDuration } from "@sluice/core";

import type { Answer, Command, CommandOption, Typed } from "../command.ts";
import { redisOf, redisOption } from "../redis-option.ts";
import type { Surroundings } from "../run.ts";
import { wholeNumber } from "../whole-number.ts";

const common = {
  redis: redisOption,
  json: { type: "boolean", help: "answer in JSON" },
} as const satisfies Record<string, CommandOption>;

const pace: CommandOption = {
  type: "string",
  value: "number",
  help: "most keys that Redis looks at in a second, all of its keys counted; default: 10000",
};

const prefix = "<prefix>";
const fastest = 1_000_000;
const longestStaleMs = 365 * 86_400_000;

/** What an operator does about caches. */
export const cacheCommands: readonly Command[] = [
  {
    name: "cache flush",
    operands: [prefix],
    help: "Ends everything under a prefix, or a first segment after one, in all processes.",
    options: {
      ...common,
      scope: { type: "string", value: "name", help: "one scope of the prefix instead of all of it" },
      "max-stale": {
        type: "string",
        value: "duration",
        help: "for how long the old may be served while it is reloaded",
      },
      force: { type: "boolean", help: "also where no cache seems to have kept anything" },
      channel: { type: "string", value: "name", help: "where caches listen; default: sl:cache" },
    },
    run(typed, surroundings) {
      const [scope, maxStale] = [typed.text("scope"), staleOf(typed)];
      const request = {
        force: typed.has("force"),
        ...(scope === undefined ? {} : { scope }),
        ...(maxStale === undefined ? {} : { maxStale }),
      };
      return withCache(typed, surroundings, async (operations, text) => {
        const flushed = await operations.flush(text, request);
        const failed = flushed.generations.length === 0;
        return { json: flushed, text: failed ? unknownText(flushed) : flushedText(flushed, maxStale), failed };
      });
    },
  },
  {
    name: "cache inspect",
    operands: ["<key>"],
    help: "Shows what is stored under a key, but for its value, and whether it can still be read.",
    options: common,
    run: (typed, surroundings) =>
      withCache(typed, surroundings, async (operations, key) => {
        const found = await operations.inspect(key);
        return { json: found, text: inspectedText(found) };
      }),
  },
  {
    name: "cache stats",
    operands: [prefix],
    help: "Counts what is stored under a prefix, by scope. Walks through all keys of Redis.",
    options: { ...common, pace },
    run(typed, surroundings) {
      const walking = walkOf(typed);
      return withCache(typed, surroundings, async (operations, text) => {
        const counted = await operations.stats(text, walking);
        return { json: counted, text: statsText(counted) };
      });
    },
  },
  {
    name: "cache reclaim",
    operands: [prefix],
    help: "Frees the memory of what flushes of a prefix have ended. Walks through all keys of Redis.",
    options: { ...common, pace },
    run(typed, surroundings) {
      const walking = walkOf(typed);
      return withCache(typed, surroundings, async (operations, text) => {
        const reclaimed = await operations.reclaim(text, walking);
        const { prefix: name, seen, removed, bytes } = reclaimed;
        return { json: reclaimed, text: `${name}: ${removed} of ${seen} records removed, ${bytes} bytes.` };
      });
    },
  },
];

async function withCache(
  typed: Typed,
  surroundings: Surroundings,
  work: (operations: CacheOperations, operand: string) => Promise<Answer>,
): Promise<Answer> {
  await using redis = redisOf(typed, surroundings, ["CACHE_REDIS_URL"]);
  const channel = typed.text("channel");
  return await work(cacheOperations(redis, channel === undefined ? {} : { channel }), typed.operands[0] ?? "");
}

function staleOf(typed: Typed): number | undefined {
  const text = typed.text("max-stale");
  return text === undefined ? undefined : parseDuration(text, { argument: "--max-stale", maxMs: longestStaleMs });
}

function walkOf(typed: Typed): { readonly keysPerSecond?: number } {
  const text = typed.text("pace");
  return text === undefined ? {} : { keysPerSecond: wholeNumber("--pace", text, { from: 1, to: fastest }) };
}

function flushedText({ prefix: name, generations }: Flushed, maxStale: number | undefined): string {
  const ended = maxStale === undefined ? "is served any more" : `is served for longer than ${maxStale} ms`;
  return [`${name}: nothing that was stored ${ended}.`, ...generations.map((key) => `  ${key}`)].join("\n");
}

function unknownText({ prefix: name }: Flushed): string {
  return [
    `${name}: no cache has kept anything there, so nothing was done.`,
    "  Is it a part of a longer prefix, or one scope of a shorter one (--scope)? --force flushes it all the same.",
  ].join("\n");
}

function inspectedText(found: Inspected): string {
  const loading = found.loading ? ["a load is underway"] : [];
  if (found.kind !== "record") {
    const what = found.kind === "absent" ? "nothing is stored" : "something that is no record of a cache";
    return lines(found.key, [what, ...loading]);
  }
  const { state, ageMs, freshMs, keptMs, scope, of, bytes, unpackedBytes, packing, negative, loadMs } = found;
  const states = {
    fresh: `fresh for ${freshMs} ms`,
    stale: "stale: served only where that is allowed",
    ended: "ended by a flush: nobody can read it",
  };
  return lines(found.key, [
    `${states[state]}; stored ${ageMs} ms ago, kept for ${keptMs} ms`,
    `scope ${scope}, of ${of}${negative ? ", which does not exist" : ""}`,
    `${bytes} bytes, ${packing === "plain" ? "not packed" : `${packing} of ${unpackedBytes}`}; loaded in ${loadMs} ms`,
    ...loading,
  ]);
}

function statsText({ prefix: name, scopes, foreign }: PrefixStats): string {
  const rows = scopes.map(
    ({ scope, fresh, stale, ended, bytes }) =>
      `${scope}: ${fresh} fresh, ${stale} stale, ${ended} ended, ${bytes} bytes`,
  );
  const others = foreign > 0 ? [`${foreign} keys that are no records`] : [];
  return lines(name, rows.length + others.length > 0 ? [...rows, ...others] : ["nothing is stored"]);
}

function lines(title: string, rows: readonly string[]): string {
  return [title, ...rows.map((row) => `  ${row}`)].join("\n");
}
