import { frozen } from "@sluice/testing/faults";
import { describeNeeding } from "@sluice/testing/vitest";
import { createClient } from "redis";
import { expect, it, onTestFinished } from "vitest";

import { fromNodeRedis } from "../src/node-redis.ts";
import { safeNodeRedis } from "./every-client.ts";
import { count } from "./scripts.ts";
import { adminOf, closing, ownServer, until } from "./servers.ts";

const hit = { keys: ["hits"], args: [1] };

describeNeeding({ redis: "real" }, "a client of node-redis with the options that its warnings ask for", () => {
  it("outlives an idle time and a server that hangs", async () => {
    const server = await ownServer();
    // The same as usual, five times as fast.
    const { reconnectStrategy } = safeNodeRedis.socket;
    const fast = { pingInterval: 100, socket: { socketTimeout: 300, reconnectStrategy } };
    const client = createClient({ url: server.url, ...safeNodeRedis, ...fast });
    const errors: string[] = [];
    client.on("error", (error: Error) => errors.push(error.message));
    await client.connect();
    onTestFinished(() => client.destroy());
    const redis = closing(fromNodeRedis(client));
    expect([redis.warnings, await redis.run(count, hit)]).toEqual([[], 1]);
    const admin = adminOf(server);
    const pings = async (): Promise<number> =>
      Number(/cmdstat_ping:calls=(\d+)/.exec(await admin.info("commandstats"))?.[1] ?? 0);
    await until(async () => (await pings()) >= 6);
    expect([errors, await redis.run(count, hit)]).toEqual([[], 2]);
    await frozen(server.pid, () => until(() => errors.some((message) => message.includes("Socket timeout"))));
    expect(await until(() => redis.run(count, hit))).toBeGreaterThanOrEqual(3);
  });
});
