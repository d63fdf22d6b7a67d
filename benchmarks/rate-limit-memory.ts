// One limit in this process: ours, a weighted sliding window, against rate-limiter-flexible's fixed window, over as many
// subjects as the store keeps apart by default; then over one alone. And what a subject weighs in each.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { byIp, createRateLimiter, memoryStore, window, type Subject } from "@sluice/rate-limit";
import { RateLimiterMemory } from "rate-limiter-flexible";

import { interleaved, type Call } from "./support/interleaved.ts";

const quick = process.argv.includes("--quick");
const extent = quick ? { rounds: 21, roundMs: 50, inFlight: 1 } : { rounds: 61, roundMs: 200, inFlight: 1 };
const keys = quick ? 200_000 : 1_000_000;
const most = 100_000_000;
// Many calls for one look at the clock, which costs as much as half a call.
const callsPerLook = 100;

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

type Consume = (subject: Subject) => Promise<unknown>;

function ours(maxSubjects: number): Consume {
  const store = memoryStore({ maxSubjects });
  const limiter = createRateLimiter({ store, policies: { browse: window({ limit: most, per: "1m" }) } });
  return (subject) => limiter.consume("browse", subject);
}

function flexible(): Consume {
  const limiter = new RateLimiterMemory({ points: most, duration: 60 });
  return ({ key }) => limiter.consume(key);
}

/** What a counter costs that is no limiter. */
function counter(): Consume {
  const hits = new Map<string, number>();
  return ({ key }) => {
    hits.set(key, (hits.get(key) ?? 0) + 1);
    return Promise.resolve(hits);
  };
}

/** Every subject in turn. Both get a key that is ready, as a handler has it that asks more than once. */
function each(subjects: readonly Subject[], consume: Consume): Call {
  let next = 0;
  return async () => {
    for (let call = 0; call < callsPerLook; call += 1) {
      next = next + 1 < subjects.length ? next + 1 : 0;
      const subject = subjects[next];
      if (subject) await consume(subject);
    }
  };
}

async function measure(subjectCount: number) {
  const subjects = Array.from({ length: subjectCount }, (_, index) => byIp(`198.51.100.7:${index}`));
  const sides = {
    ours: each(subjects, ours(subjectCount)),
    limit: each(subjects, counter()),
    "rate-limiter-flexible": each(subjects, flexible()),
  };
  const { perSecond, ratios } = await interleaved(sides, extent);
  const rates = Object.entries(perSecond).map(([name, looks]) => [name, looks * callsPerLook] as const);
  return { rates: Object.fromEntries(rates), ratios };
}

function heapBytes(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

/** Heap per subject, when each of so many has called once. The key itself is part of it. */
async function bytesPerKey(consume: Consume): Promise<number> {
  const beforeBytes = heapBytes();
  for (let number = 0; number < keys; number += 1) await consume(byIp(`198.51.100.7:${number}`));
  return Math.round((heapBytes() - beforeBytes) / keys);
}

const many = await measure(100_000);
const hot = await measure(1);
const bytes = { ours: await bytesPerKey(ours(keys)), "rate-limiter-flexible": await bytesPerKey(flexible()) };
if (quick)
  console.log(`quick: ${extent.rounds} rounds of ${extent.roundMs} ms each, ${keys} keys in place of 1 000 000`);
console.log(`bytes per key, of ${keys} keys: ${JSON.stringify(bytes)}`);
const of = (name: string) => ({ "100 000 subjects": many.rates[name], "1 subject": hot.rates[name] });
const peers = { "rate-limiter-flexible": of("rate-limiter-flexible") };
const ratios = {
  ...many.ratios,
  "limit, 1 subject": hot.ratios["limit"],
  "rate-limiter-flexible, 1 subject": hot.ratios["rate-limiter-flexible"],
};
console.log(
  JSON.stringify({
    bench: "rate-limit-memory",
    ours: of("ours"),
    limit: of("limit"),
    peers,
    ratios,
    keys,
    bytesPerKey: bytes,
  }),
);
