import { slotOf } from "@sluice/redis";
import { killProcess } from "@sluice/testing/faults";
import { startRedisCluster, startRedisSentinels } from "@sluice/testing/services";
import { describeNeeding } from "@sluice/testing/vitest";
import { expect, it, onTestFinished } from "vitest";

import { connected, member, Table, until } from "./support/fleet.ts";

const ids = Array.from({ length: 60 }, (_, index) => `row-${index}`);

describeNeeding({ redis: "real" }, "on a Cluster", () => {
  it(
    "keys of all masters are read, stored and invalidated, and a master that dies is replaced",
    { timeout: 60_000 },
    async () => {
      const cluster = await startRedisCluster();
      onTestFinished(() => cluster.stop());
      const table = new Table();
      const options = { cluster: cluster.nodes.map(({ port }) => ({ host: "127.0.0.1", port })), deadlineMs: 2000 };
      const [one, other] = [
        await member({
          table,
          redis: connected(options),
          deadlineMs: 2000,
          scope: { groups: (id) => ({ last: id.at(-1) ?? "" }) },
        }),
        await member({
          table,
          redis: connected(options),
          deadlineMs: 2000,
          scope: { groups: (id) => ({ last: id.at(-1) ?? "" }) },
        }),
      ];
      await until(async () => {
        await one.rows.getMany(ids);
        table.loads = 0;
        await other.rows.getMany(ids);
        return table.loads === 0;
      });
      await table.write(one, "row-7");
      expect(await table.read(other, "row-7")).toBe(1);
      await table.write(one, "row-8", one.rows.group({ last: "8" }));
      expect(await table.read(other, "row-8")).toBe(1);
      await table.write(one, "row-9", one.rows.all());
      expect(await table.read(other, "row-9")).toBe(1);

      const master = await cluster.masterOf(slotOf(one.rows.entry("row-7").key));
      if (!master) throw new Error("Nobody serves the slot.");
      await killProcess(master.pid);
      for (let turn = 0; turn < 20; turn += 1) {
        await table.write(one, "row-7");
        expect(await one.rows.get("row-7")).toBe(turn + 2);
      }
      await until(
        async () => (await one.cache.invalidate([one.rows.entry("row-7"), one.rows.all()])).queued === 0,
        30_000,
      );
      await until(async () => {
        const version = await other.rows.get("row-7");
        const { hit } = other.rows.stats().reads;
        return version === 21 && (await other.rows.get("row-7")) === 21 && other.rows.stats().reads.hit > hit;
      });
      expect(table.stale).toEqual([]);
    },
  );
});

describeNeeding({ redis: "real" }, "behind Sentinels", () => {
  it("reads load until the new master answers, and are stored again then", { timeout: 60_000 }, async () => {
    const topology = await startRedisSentinels();
    onTestFinished(() => topology.stop());
    const table = new Table();
    const { sentinels, masterName: name } = topology;
    const [one, other] = [
      await member({ table, redis: connected({ sentinels, name }), deadlineMs: 100 }),
      await member({ table, redis: connected({ sentinels, name }), deadlineMs: 100 }),
    ];
    await until(async () => {
      await one.rows.get("a");
      return one.rows.stats().reads.hit > 0;
    });
    await killProcess(topology.nodes[0].pid);
    let refused = 0;
    for (let turn = 0; turn < 20; turn += 1) {
      if (!(await table.write(one, "a"))) refused += 1;
      expect(await one.rows.get("a")).toBe(turn + 1);
    }
    expect(refused).toBeGreaterThan(0);
    // What could not be told is told as soon as there is somebody to tell.
    await until(async () => {
      const { hit } = other.rows.stats().reads;
      return (
        (await other.rows.get("a")) === 20 && (await other.rows.get("a")) === 20 && other.rows.stats().reads.hit > hit
      );
    }, 30_000);
    expect(table.stale).toEqual([]);
  });
});
