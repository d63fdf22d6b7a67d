// How much each algorithm lets through, compared with an exact log of all that it should have let through: over traces
// that are made to hurt. Ours also against its own definition, which it must meet to the call.
import { slidingLog, type Limit } from "@sluice/rate-limit";
import { createOracle } from "@sluice/rate-limit/laws";

import { measuredAlgorithms, wallClock, type Measured } from "./support/measured-algorithms.ts";
import { limit, per, traces } from "./support/traces.ts";

/** What a trace came to. */
interface Outcome {
  /** Let through, divided by what an exact log lets through. */
  readonly admitted: number;
  /** The most that was let through in any span of a window, divided by the limit. */
  readonly span: number;
}

const rounded = (value: number): number => Number(value.toFixed(3));

/** The most calls in any span of one window. */
function fullestSpan(times: readonly number[]): number {
  let most = 0;
  for (let first = 0, last = 0; last < times.length; last += 1) {
    while ((times[last] ?? 0) - (times[first] ?? 0) >= per) first += 1;
    most = Math.max(most, last - first + 1);
  }
  return most;
}

async function passedBy({ create }: Measured, calls: readonly number[]): Promise<number[]> {
  const passes = create();
  const passed: number[] = [];
  for (const atMs of calls) {
    wallClock.set(atMs);
    if (await passes()) passed.push(atMs);
  }
  return passed;
}

/** What the definition of a limit lets through. */
function byDefinition(definition: Limit, calls: readonly number[]): number {
  const oracle = createOracle(definition);
  for (const atMs of calls) if (oracle.allows(atMs, 1)) oracle.hit(atMs, 1);
  return oracle.hits.length;
}

const exact = slidingLog({ limit, per });
const table: Record<string, Record<string, Outcome>> = {};
let worstError = 0;
for (const [name, algorithm] of Object.entries(measuredAlgorithms)) {
  const outcomes: Record<string, Outcome> = {};
  for (const [trace, calls] of Object.entries(traces)) {
    const passed = await passedBy(algorithm, calls);
    const admitted = rounded(passed.length / byDefinition(exact, calls));
    outcomes[trace] = { admitted, span: rounded(fullestSpan(passed) / limit) };
    const { definition } = algorithm;
    if (definition) worstError = Math.max(worstError, Math.abs(passed.length - byDefinition(definition, calls)));
  }
  table[name] = outcomes;
}

console.log(`admitted / exact log (fullest span / limit), at ${limit} per ${per} ms, quick or not:`);
console.table(
  Object.fromEntries(
    Object.entries(table).map(([name, outcomes]) => [
      name,
      Object.fromEntries(
        Object.entries(outcomes).map(([trace, { admitted, span }]) => [trace, `${admitted} (${span})`]),
      ),
    ]),
  ),
);
console.log(`calls by which an algorithm of ours misses its own definition: ${worstError}`);

const worstSpan = (name: string): number => Math.max(...Object.values(table[name] ?? {}).map(({ span }) => span));
const isPeer = (name: string): boolean => measuredAlgorithms[name]?.definition === undefined;
const ours = Object.fromEntries(Object.entries(table).filter(([name]) => !isPeer(name)));
const peers = Object.fromEntries(Object.entries(table).filter(([name]) => isPeer(name)));
// How far the fullest span of a peer is above that of the strict window, which is the limit at most.
const ratios = Object.fromEntries(
  Object.keys(peers).map((name) => [name, rounded(worstSpan(name) / worstSpan("strict-window"))]),
);
console.log(JSON.stringify({ bench: "rate-limit-accuracy", ours, limit: { worstError }, peers, ratios }));
if (worstError > 0) throw new Error(`An algorithm misses its own definition by ${worstError} calls.`);
