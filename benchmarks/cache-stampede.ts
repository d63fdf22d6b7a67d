// Everybody asks for the same thing that nobody has: 4 processes with 500 callers each, and a load of 200 ms. How many
// loads run, and how long it takes until the last caller has its value, which cannot be less than one load.
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

import { startRedis } from "@sluice/testing/services";

import { median, rounded } from "./support/interleaved.ts";
import type { Stampeded } from "./support/stampede-program.ts";

const quick = process.argv.includes("--quick");
const rounds = quick ? 3 : 25;
const processes = 4;
const callers = 500;
const loadMs = 200;
const sides = ["ours", "bentocache", "cache-manager"];
const program = fileURLToPath(new URL("support/stampede-program.ts", import.meta.url));

/** One stampede: the loads of all processes, and when the last one was served. */
async function stampede(children: readonly ChildProcess[], key: string): Promise<Stampeded> {
  const answers = children.map(async (child) => {
    const [answer] = (await once(child, "message")) as [Stampeded];
    return answer;
  });
  for (const child of children) child.send(key);
  const all = await Promise.all(answers);
  return {
    loads: all.reduce((sum, { loads }) => sum + loads, 0),
    tookMs: Math.max(...all.map(({ tookMs }) => tookMs)),
  };
}

async function started(side: string, url: string): Promise<ChildProcess[]> {
  const args = [side, url, String(callers), String(loadMs)];
  const children = Array.from({ length: processes }, () => fork(program, args));
  await Promise.all(children.map((child) => once(child, "message")));
  return children;
}

await using server = await startRedis({ origin: "local" });
const fleets = new Map<string, ChildProcess[]>();
for (const side of sides) fleets.set(side, await started(side, server.url));
const results = new Map(sides.map((side) => [side, [] as Stampeded[]]));
for (let round = -1; round < rounds; round += 1) {
  for (const [side, children] of fleets) {
    const result = await stampede(children, `round-${round}`);
    // The first one runs code that nothing has compiled yet.
    if (round >= 0) results.get(side)?.push(result);
  }
}
// Their connections would keep them.
for (const child of [...fleets.values()].flat()) child.kill();

const of = (side: string): readonly Stampeded[] => results.get(side) ?? [];
const summary = (side: string) => ({
  loads: Math.max(...of(side).map(({ loads }) => loads)),
  ms: rounded(median(of(side).map(({ tookMs }) => tookMs))),
});
const ours = summary("ours");
const peers = { bentocache: summary("bentocache"), "cache-manager": summary("cache-manager") };
const against = (side: string): number =>
  rounded(median(of("ours").map(({ tookMs }, round) => (of(side)[round]?.tookMs ?? 0) / tookMs)));
console.log(`${quick ? "quick: " : ""}${rounds} stampedes of ${processes} x ${callers}; loads: most in any of them`);
console.log(
  JSON.stringify({
    bench: "cache-stampede",
    loads: ours.loads,
    ours,
    limit: { loads: 1, ms: loadMs },
    peers,
    ratios: {
      limit: rounded(loadMs / ours.ms),
      bentocache: against("bentocache"),
      "cache-manager": against("cache-manager"),
    },
  }),
);
