import { sleep } from "@sluice/core";
import { testSeed } from "@sluice/testing";
import { describe, expect, it } from "vitest";

import { everything, rage, type Chaos } from "./cache/chaos.ts";
import { World, type WorldOptions } from "./cache/world.ts";
import { createLua } from "./redis/lua.ts";

const lua = await createLua();
const seed = testSeed();

/** Readers in every process and writers in some, for so long. */
async function run(world: World, chaos: Chaos, ms: number): Promise<void> {
  const untilMs = world.clock.monotonic() + ms;
  const loop = async (act: () => Promise<void>, pauseMs: number): Promise<void> => {
    while (world.clock.monotonic() < untilMs) {
      await act();
      await sleep(world.clock, world.random.float() * pauseMs);
    }
  };
  const id = (): number => world.random.integer(0, world.rowCount);
  const work = world.processes.flatMap((process) => [
    ...Array.from({ length: 4 }, () => loop(() => world.read(process, id()), 6)),
    loop(() => world.write(process, id()), world.writeEveryMs),
  ]);
  await world.finish([...work, rage(world, chaos, untilMs)], ms + 20_000);
}

/** What was returned that should not have been, after so long in a world where everything goes wrong that may. */
async function simulated(options: Omit<WorldOptions, "seed" | "lua">, chaos: Chaos, ms = 3000): Promise<World> {
  const world = new World({ ...options, seed, lua });
  await run(world, chaos, ms);
  expect(world.oracle.reads).toBeGreaterThan(30);
  await world.close();
  return world;
}

/** All that can be counted in a world. */
async function account(): Promise<unknown> {
  const { oracle, loads, clock, processes } = await simulated({ l1 }, everything, 800);
  return [oracle.reads, loads, clock.monotonic(), processes.map(({ cache }) => cache.stats())];
}

const l1 = { maxAge: 300, maxLag: 100 };

describe("a simulated fleet returns nothing older than an invalidation vouches for", () => {
  it("on a calm network", async () => {
    expect((await simulated({}, {}, 15_000)).oracle.violations).toEqual([]);
  });

  it("when the server loses keys", async () => {
    // Few writes, and more than once what one generation takes to be lost: a record that outlives two losses tells.
    expect((await simulated({ rows: 100, writeEveryMs: 500 }, { evictions: true }, 8000)).oracle.violations).toEqual(
      [],
    );
  });

  it("when the server loses everything", async () => {
    expect((await simulated({}, { flushAll: true })).oracle.violations).toEqual([]);
  });

  it("when messages are lost, late, cut off or executed twice", async () => {
    expect((await simulated({}, { weather: everything.weather ?? {}, cuts: true })).oracle.violations).toEqual([]);
  });

  it("when loads take longer than leases last, and fail", async () => {
    expect(
      (await simulated({ loadMs: 5000 }, { loadErrors: true, weather: { loseRequest: 0.3 } }, 600_000)).oracle
        .violations,
    ).toEqual([]);
  });

  it("on a Cluster, whatever goes wrong", async () => {
    expect((await simulated({ servers: 3 }, { ...everything, failovers: false })).oracle.violations).toEqual([]);
  });

  it("to whoever invalidated it, when a failover has lost that", async () => {
    expect((await simulated({}, everything)).oracle.violations).toEqual([]);
  });

  it("when results have tags", async () => {
    expect((await simulated({ tags: true }, { ...everything, failovers: false })).oracle.violations).toEqual([]);
  });

  it("when values past their time may be served", async () => {
    expect(
      (await simulated({ stale: { onError: 5000, whileRevalidate: 1000 } }, { ...everything, failovers: false })).oracle
        .violations,
    ).toEqual([]);
  });

  it("but for the lag, when processes keep copies", async () => {
    // Announcements and replies overtake each other, and few announcements end what they do not concern.
    const slow = { weather: { latencyMs: [0.05, 12] } } as const;
    const { oracle, processes } = await simulated({ l1, rows: 12, ways: ["drop"] }, slow, 9000);
    expect(oracle.violations).toEqual([]);
    expect(processes.reduce((sum, { cache }) => sum + (cache.stats()[0]?.reads.l1 ?? 0), 0)).toBeGreaterThan(50);
  });

  it("but for the lag, when processes keep copies and announcements are lost", async () => {
    expect((await simulated({ l1 }, { ...everything, failovers: false })).oracle.violations).toEqual([]);
  });
});

describe("a simulated fleet", () => {
  it("loads once for a stampede in every process", async () => {
    const world = new World({ seed, lua, processes: 4, loadMs: 100 });
    const reads = world.processes.flatMap((process) => Array.from({ length: 500 }, () => world.read(process, 0)));
    await world.finish(reads, 10_000);
    expect(world.oracle.reads).toBe(2000);
    expect(world.loads).toBe(1);
  });

  it("runs one load of a key at a time, however its reads are spread", async () => {
    const world = new World({ seed, lua, processes: 4, rows: 2, loadMs: 100 });
    const late = async (index: number): Promise<void> => {
      await sleep(world.clock, world.random.float() * 6000);
      await world.read(world.pick(world.processes), index % 2);
    };
    await world.finish(
      Array.from({ length: 1000 }, (_, index) => late(index)),
      10_000,
    );
    expect(world.mostLoading).toBe(1);
    // The lifetime is 2 s, less up to a tenth, and reads come for 6 s.
    expect(world.loads).toBeLessThanOrEqual(2 * 4);
  });

  it("does the same again from the same seed", async () => {
    expect(await account()).toEqual(await account());
  });
});
