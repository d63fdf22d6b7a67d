/** One call of what is measured. `number` counts the calls of a side, for keys that differ. */
export type Call = (number: number) => Promise<unknown>;

/** How much is measured. */
export interface Extent {
  /** Calls that are underway at once. */
  readonly inFlight: number;
  /** Rounds, each of which measures every side once. */
  readonly rounds: number;
  /** Length of one side's turn in a round. */
  readonly roundMs: number;
  /** How long each side runs before it is measured, for the engine to compile it. Default 1500. */
  readonly warmUpMs?: number;
}

/** What the sides reached, by their names. */
export interface Measured {
  /** Calls per second, the median of all rounds. */
  readonly perSecond: Readonly<Record<string, number>>;
  /** The first side's rate divided by that of each other, the median of all rounds. */
  readonly ratios: Readonly<Record<string, number>>;
}

/**
 * Measures several sides in short turns, one after the other, in an order that changes from round to round: what else
 * the machine does then hits all sides alike. The first side is ours.
 */
export async function interleaved(sides: Readonly<Record<string, Call>>, extent: Extent): Promise<Measured> {
  const names = Object.keys(sides);
  const { warmUpMs = 1500 } = extent;
  const rates = new Map(names.map((name) => [name, [] as number[]]));
  for (const name of names) await rate(sides[name], { ...extent, roundMs: warmUpMs });
  for (let round = 0; round < extent.rounds; round += 1) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      rates.get(name)?.push(await rate(sides[name], extent));
    }
  }
  const [ours = ""] = names;
  const own = rates.get(ours) ?? [];
  const perSecond = Object.fromEntries(names.map((name) => [name, Math.round(median(rates.get(name) ?? []))]));
  const others = names.filter((name) => name !== ours);
  const ratioTo = (name: string): number => median(own.map((mine, round) => mine / (rates.get(name)?.[round] ?? 0)));
  return { perSecond, ratios: Object.fromEntries(others.map((name) => [name, rounded(ratioTo(name))])) };
}

/** Calls per second of `inFlight` loops, each with its next call after its last. */
async function rate(call: Call | undefined, { inFlight, roundMs }: Extent): Promise<number> {
  const startedMs = performance.now();
  const untilMs = startedMs + roundMs;
  let calls = 0;
  async function loop(): Promise<void> {
    while (performance.now() < untilMs) {
      calls += 1;
      await call?.(calls);
    }
  }
  await Promise.all(Array.from({ length: inFlight }, loop));
  return calls / ((performance.now() - startedMs) / 1000);
}

/** The value in the middle. */
export function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** Two digits behind the point. */
export function rounded(value: number): number {
  return Number(value.toFixed(2));
}
