// Four processes on one subject, each with one call after the other: budget that is taken in advance, against a round
// trip for each call. And by how much, at a bucket that is far too small for them, they exceed it: never by more than
// flows during a lease.
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";

import { startRedis } from "@sluice/testing/services";

import { median, rounded } from "./support/interleaved.ts";
import { leaseMs, tight, type Order, type Report } from "./support/lease-orders.ts";

const quick = process.argv.includes("--quick");
const { rounds, roundMs, tightMs } = quick
  ? { rounds: 9, roundMs: 200, tightMs: 2500 }
  : { rounds: 41, roundMs: 400, tightMs: 10_000 };
const processes = 4;
const warmUpMs = 500;

await using server = await startRedis({ origin: "local" });
const children = Array.from({ length: processes }, () =>
  fork(new URL("support/lease-caller.ts", import.meta.url), [server.url], {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  }),
);
await Promise.all(children.map((child) => once(child, "message")));

async function report(child: ChildProcess, order: Order): Promise<Report> {
  const answer = once(child, "message") as Promise<[Report]>;
  child.send(order);
  const [told] = await answer;
  return told;
}

function all(policy: Order["policy"], ms: number): Promise<Report[]> {
  const untilMs = performance.timeOrigin + performance.now() + ms;
  return Promise.all(children.map((child) => report(child, { policy, untilMs })));
}

async function perSecond(policy: "lease" | "redis", ms = roundMs): Promise<number> {
  const calls = (await all(policy, ms)).reduce((sum, { calls: each }) => sum + each, 0);
  return calls / (ms / 1000);
}

/** The most by which any span has more calls than its bucket and what flowed during it. */
function excessOf(passedAtMs: readonly number[]): number {
  let level = 0;
  let lastMs = passedAtMs[0] ?? 0;
  let most = 0;
  for (const atMs of passedAtMs) {
    level = Math.max(0, level - ((atMs - lastMs) * tight.refill) / 1000) + 1;
    lastMs = atMs;
    most = Math.max(most, level - tight.capacity);
  }
  return most;
}

for (const policy of ["lease", "redis"] as const) await perSecond(policy, warmUpMs);
const rates = { lease: [] as number[], redis: [] as number[] };
for (let round = 0; round < rounds; round += 1) {
  for (const policy of round % 2 === 0 ? (["lease", "redis"] as const) : (["redis", "lease"] as const)) {
    rates[policy].push(await perSecond(policy));
  }
}
const passedAtMs = (await all("tight", tightMs)).flatMap((each) => each.passedAtMs).toSorted((a, b) => a - b);
const excess = Math.round(excessOf(passedAtMs));
const bound = (tight.refill * leaseMs) / 1000;
for (const child of children) child.disconnect();
await Promise.all(children.map(async (child) => child.exitCode ?? once(child, "exit")));

if (quick) console.log(`quick: ${rounds} rounds of ${roundMs} ms each, excess within ${tightMs} ms`);
console.log(`excess: ${excess} of ${passedAtMs.length} calls let through; bound: ${bound}`);
const ours = Math.round(median(rates.lease));
const limit = Math.round(median(rates.redis));
const ratios = { redis: rounded(median(rates.lease.map((rate, round) => rate / (rates.redis[round] ?? Number.NaN)))) };
console.log(JSON.stringify({ bench: "rate-limit-lease", ours, limit, peers: {}, ratios, processes, excess, bound }));
if (excess > bound)
  throw new Error(`${processes} processes exceeded their bucket by ${excess}, the bound is ${bound}.`);
