import { parseDuration } from "@sluice/core";
import { addressGroup } from "@sluice/http";
import {
  byAction,
  byIp,
  byKey,
  byUser,
  window,
  type RateLimitStore,
  type Subject,
  type SubjectState,
} from "@sluice/rate-limit";
import { redisStore } from "@sluice/rate-limit/redis";

import type { Answer, Command, CommandOption, Typed } from "../command.ts";
import { redisOf, redisOption } from "../redis-option.ts";
import { required } from "../required.ts";
import type { Surroundings } from "../run.ts";
import { UsageError } from "../usage-error.ts";
import { wholeNumber } from "../whole-number.ts";

const common = {
  redis: redisOption,
  prefix: { type: "string", value: "text", help: "what stands before every key; default: nothing" },
  json: { type: "boolean", help: "answer in JSON" },
} as const satisfies Record<string, CommandOption>;

const subject = "<subject>";
const longestMarkMs = 3660 * 86_400_000;
const greatestLimit = 1_000_000;

/** What an operator does about one subject's limits. */
export const rateLimitCommands: readonly Command[] = [
  {
    name: "rate-limit inspect",
    operands: [subject],
    help: "Shows what a subject has spent, whether it is blocked, and its overrides.",
    options: common,
    run: (typed, surroundings) =>
      withStore(typed, surroundings, async (store, { key }) => {
        const state = await store.inspect(key);
        return { json: { key, ...state }, text: textOf(key, state) };
      }),
  },
  {
    name: "rate-limit reset",
    operands: [subject],
    help: "Forgets what a subject has spent, and lifts a block.",
    options: common,
    run: (typed, surroundings) =>
      withStore(typed, surroundings, async (store, { key }) => {
        await store.reset(key);
        return { json: { key, reset: true }, text: `${key} has spent nothing.` };
      }),
  },
  {
    name: "rate-limit block",
    operands: [subject],
    help: "Denies a subject everything for a while.",
    options: { ...common, for: { type: "string", value: "duration", help: "such as 10m; 0s lifts the block" } },
    run(typed, surroundings) {
      const forMs = durationOf(typed);
      return withStore(typed, surroundings, async (store, { key }) => {
        await store.mark(key, { kind: "block", forMs });
        return { json: { key, blockedMs: forMs }, text: forMs === 0 ? `${key} is not blocked.` : `${key} is blocked.` };
      });
    },
  },
  {
    name: "rate-limit override",
    operands: [subject],
    help: "Gives a subject another limit for a while, in all processes at once.",
    options: {
      ...common,
      name: { type: "string", value: "limit", help: "which limit, by its name" },
      limit: { type: "string", value: "number", help: `the limit that holds instead, up to ${greatestLimit}` },
      refill: {
        type: "string",
        value: "number",
        help: "of a bucket: how much flows back per period; default: as it is",
      },
      for: { type: "string", value: "duration", help: "such as 24h; 0s lifts the override" },
    },
    run(typed, surroundings) {
      const [name, forMs] = [limitName(typed), durationOf(typed)];
      const limit = forMs === 0 ? 0 : countOf(typed, "limit");
      const refill = typed.text("refill") === undefined ? 0 : countOf(typed, "refill");
      return withStore(typed, surroundings, async (store, { key }) => {
        await store.mark(key, { kind: "override", name, limit, refill, forMs });
        const text = forMs === 0 ? `${key} has the usual ${name}.` : `${key} has ${limit} for ${name}.`;
        return { json: { key, name, limit, refill, forMs }, text };
      });
    },
  },
];

async function withStore(
  typed: Typed,
  surroundings: Surroundings,
  work: (store: RateLimitStore, subject: Subject) => Promise<Answer>,
): Promise<Answer> {
  const whom = subjectOf(typed.operands[0] ?? "");
  await using redis = redisOf(typed, surroundings, ["RATE_LIMIT_REDIS_URL"]);
  const prefix = typed.text("prefix");
  // An operator rather waits than asks twice.
  return await work(redisStore(redis, { deadlineMs: 2000, ...(prefix === undefined ? {} : { prefix }) }), whom);
}

const kinds: Readonly<Record<string, (id: string) => Subject>> = {
  user: byUser,
  ip: addressed,
  key: byKey,
  action: (id) => {
    const slash = id.indexOf("/");
    // Without one there is no user, and that is refused.
    return byAction(id.slice(0, Math.max(0, slash)), id.slice(slash + 1));
  },
};

/** As guards count addresses, whatever text of it was copied from a log: IPv6 by its /64, where nothing else is said. */
function addressed(text: string): Subject {
  if (text === "-") return byIp(undefined);
  const slash = text.indexOf("/");
  const address = slash < 0 ? text : text.slice(0, slash);
  const bits = slash < 0 ? undefined : wholeNumber("the prefix", text.slice(slash + 1), { from: 8, to: 128 });
  const which = address.includes(":") ? "ipv6Prefix" : "ipv4Prefix";
  const group = addressGroup(address, bits === undefined ? {} : { [which]: bits });
  if (group === undefined) throw new UsageError(`"${text}" is no IP address.`);
  return byIp(group);
}

/** `user:42`, `ip:203.0.113.7`, `key:org_7` or `action:42/buy`. */
function subjectOf(text: string): Subject {
  const colon = text.indexOf(":");
  const kind = Object.hasOwn(kinds, text.slice(0, colon)) ? kinds[text.slice(0, colon)] : undefined;
  if (colon > 0 && kind) return kind(text.slice(colon + 1));
  throw new UsageError("A subject is user:<id>, ip:<address>, key:<id> or action:<user>/<action>.");
}

function durationOf(typed: Typed): number {
  return parseDuration(required(typed, "for"), { argument: "--for", maxMs: longestMarkMs });
}

/** A name that a limit can have. */
function limitName(typed: Typed): string {
  const name = required(typed, "name");
  return window({ name, limit: 1, per: "1s" }).name ?? name;
}

function countOf(typed: Typed, option: string): number {
  return wholeNumber(`--${option}`, required(typed, option), { from: 1, to: greatestLimit });
}

function textOf(key: string, { blockedMs, counters, overrides }: SubjectState): string {
  const lines = [
    ...(blockedMs > 0 ? [`blocked for ${blockedMs} ms`] : []),
    ...counters.map(({ name, kind, perMs, spent }) => `${name} (${kind}, ${perMs} ms): ${spent} spent`),
    ...overrides.map(
      ({ name, limit, refill, leftMs }) =>
        `${name}: ${limit}${refill > 0 ? `, refilled by ${refill},` : ""} instead for ${leftMs} ms`,
    ),
  ];
  return [key, ...(lines.length > 0 ? lines : ["nothing is kept"]).map((line) => `  ${line}`)].join("\n");
}
