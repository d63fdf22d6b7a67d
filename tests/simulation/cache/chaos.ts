import { sleep } from "@sluice/core";

import { calm, type Weather } from "../redis/network.ts";
import { SimRedis } from "../redis/sim-redis.ts";
import type { World } from "./world.ts";

/** What may go wrong in a run. */
export interface Chaos {
  readonly weather?: Partial<Weather>;
  readonly evictions?: boolean;
  readonly flushAll?: boolean;
  readonly cuts?: boolean;
  readonly failovers?: boolean;
  readonly loadErrors?: boolean;
}

/** Everything at once. */
export const everything: Chaos = {
  weather: { loseRequest: 0.02, loseReply: 0.02, duplicate: 0.05, late: 0.03, lateMs: 120, latencyMs: [0.05, 8] },
  evictions: true,
  flushAll: true,
  cuts: true,
  failovers: true,
  loadErrors: true,
};

/** Lets everything go wrong that may, until the time is over. */
export async function rage(world: World, chaos: Chaos, untilMs: number): Promise<void> {
  for (const { redis } of world.processes) redis.weather = { ...calm, ...chaos.weather };
  const deeds = deedsOf(world, chaos);
  while (deeds.length > 0 && world.clock.monotonic() < untilMs) {
    await sleep(world.clock, world.random.float() * 40);
    world.pick(deeds)();
  }
}

function deedsOf(world: World, chaos: Chaos): (() => void)[] {
  const deeds: (() => void)[] = [];
  const evict = (isChosen: (key: string) => boolean): void => {
    const server = world.pick(world.servers);
    const keys = server.keyspace.keys().filter(isChosen);
    if (keys.length > 0) server.evict(world.pick(keys));
  };
  if (chaos.evictions) {
    // Records outnumber all else, and what else is lost is what matters.
    for (const mark of ["v1:", "sl:", "}:l"]) deeds.push(() => evict((key) => key.includes(mark)));
  }
  if (chaos.flushAll) deeds.push(() => world.pick(world.servers).flushAll());
  if (chaos.loadErrors) deeds.push(() => (world.failNextLoads = 1));
  if (chaos.cuts) {
    deeds.push(
      () => world.pick(world.processes).redis.disconnect(),
      () => world.pick(world.processes).redis.cutSubscriptions("noticed"),
      () => world.pick(world.processes).redis.cutSubscriptions("silent"),
    );
  }
  if (chaos.failovers) deeds.push(() => failOver(world));
  return deeds;
}

/** A replica that lags behind becomes the server: what was applied since is lost, and every connection ends. */
function failOver(world: World): void {
  const lagMs = world.random.float() * 30;
  const server = world.pick(world.servers);
  server.failOver(lagMs);
  world.oracle.forget(world.clock.monotonic() - lagMs);
  for (const { redis } of world.processes) if (redis instanceof SimRedis) redis.disconnect();
}
