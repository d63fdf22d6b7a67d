import { createFaultProxy, respProtocol } from "@sluice/testing/faults";
import { describeNeeding } from "@sluice/testing/vitest";
import { Redis as Ioredis } from "ioredis";
import { expect, it, onTestFinished } from "vitest";

import { createCoalescer, type RedisConnection } from "../src/index.ts";
import { fromIoredis } from "../src/ioredis.ts";
import { fromNodeRedis } from "../src/node-redis.ts";
import { clients, everyClient } from "./every-client.ts";
import { count, poisonable, scriptOf } from "./scripts.ts";
import { closing, heard, ownServer, rejection, runsScript, timed, until } from "./servers.ts";

const hit = { keys: ["hits"], args: [1] };

describeNeeding({ redis: "real" }, "a client that the user brings", () => {
  it.each(everyClient)("works through $name on $on", async ({ open, engine }) => {
    const server = await ownServer(undefined, engine);
    const redis = await open(server.port);
    expect(await redis.run(count, hit)).toBe(1);
    const counter = createCoalescer({ redis, script: count });
    expect(await Promise.all([counter.run(hit), counter.run(hit)])).toEqual([2, 3]);
    expect(
      await redis.run(scriptOf("shapes", "return {1, false, {'x'}, redis.status_reply('FINE')}"), {
        keys: [],
        args: [],
      }),
    ).toEqual([1, null, ["x"], "FINE"]);
    expect(
      await rejection(redis.run(scriptOf("fails", "return redis.error_reply('MINE it is')"), { keys: [], args: [] })),
    ).toMatchObject({
      code: "ERR_SLUICE_REDIS_REPLY",
      kind: "MINE",
    });
    await redis.run(scriptOf("hash", "redis.call('HSET', KEYS[1], 'a', '1', 'b', '2')"), { keys: ["h"], args: [] });
    expect(await redis.read("HGETALL", ["h"])).toEqual(["a", "1", "b", "2"]);
    expect(await redis.read("GET", ["hits"], { bytes: true })).toEqual(Buffer.from("3"));
    expect(await redis.run(scriptOf("length", "return #ARGV[1]"), { keys: [], args: [new Uint8Array(3)] })).toBe(3);
    const messages: string[] = [];
    const subscription = await redis.subscribe(
      "news",
      (message) => messages.push(message),
      () => {},
    );
    expect(subscription.live).toBe(true);
    await redis.run(scriptOf("tell", "return redis.call('PUBLISH', 'news', 'hello')"), { keys: [], args: [] });
    await until(() => messages.includes("hello"));
  });

  it("with default options is warned about and never changed", async () => {
    const server = await ownServer();
    const events = heard();
    const client = new Ioredis(server.port, "127.0.0.1", { lazyConnect: true });
    onTestFinished(() => client.disconnect());
    const [before, listeners] = [JSON.stringify(client.options), client.listenerCount("error")];
    const redis = fromIoredis(client);
    await redis.run(count, hit);
    expect(redis.warnings.map((warning) => warning.split(" ")[0])).toEqual([
      "autoResendUnfulfilledCommands",
      "enableOfflineQueue",
      "maxRetriesPerRequest",
      "socketTimeout",
      "reconnectOnError",
    ]);
    expect(events.filter(({ type }) => type === "client-warning").length).toBe(5);
    await redis.close();
    expect([JSON.stringify(client.options), client.listenerCount("error"), client.status]).toEqual([
      before,
      listeners,
      "ready",
    ]);
    expect([client.listenerCount("ready"), client.listenerCount("close")]).toEqual([0, 0]);
  });

  it("that never settles what it lost is settled by Sluice at once", async () => {
    const server = await ownServer();
    const proxy = await createFaultProxy({
      upstream: { host: "127.0.0.1", port: server.port },
      protocol: respProtocol,
    });
    onTestFinished(() => proxy.close());
    const options = { autoResendUnfulfilledCommands: false, maxRetriesPerRequest: null, lazyConnect: true };
    const client = new Ioredis(proxy.port, "127.0.0.1", options);
    client.on("error", () => {});
    onTestFinished(() => client.disconnect());
    const redis = closing(fromIoredis(client, { deadlineMs: 8000 }));
    await redis.run(count, hit);
    proxy.loseReplyAfter(runsScript);
    const ms = await timed(async () => {
      expect(await rejection(redis.run(count, hit))).toMatchObject({ reason: "connection-lost", applied: "unknown" });
    });
    expect(ms).toBeLessThan(4000);
    expect(await until(() => redis.read("GET", ["hits"]))).toBe("2");
  });

  it("with safe options has nothing to be warned about", async () => {
    const safe = new Ioredis({
      lazyConnect: true,
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
      socketTimeout: 1500,
      reconnectOnError: () => false,
    });
    expect(fromIoredis(safe).warnings).toEqual([]);
  });

  it.each(["ioredis 6", "ioredis 5"])("that resends a batch after a lost reply counts once: %s", async (name) => {
    const server = await ownServer();
    const proxy = await createFaultProxy({
      upstream: { host: "127.0.0.1", port: server.port },
      protocol: respProtocol,
    });
    onTestFinished(() => proxy.close());
    const redis = await (clients[name] as (port: number) => Promise<RedisConnection>)(proxy.port);
    const counter = createCoalescer({ redis, script: poisonable, deadlineMs: 5000 });
    expect(await counter.run({ keys: ["resent"], args: [1] })).toBe(1);
    const replies = proxy.loseReplyAfter(runsScript, { times: 2 });
    const calls = [1, "poison", 2].map((argument) => counter.run({ keys: ["resent"], args: [argument] }));
    const outcomes = await Promise.allSettled(calls);
    expect(replies.lost).toBe(2);
    expect(outcomes).toMatchObject([
      { status: "fulfilled", value: 2 },
      { status: "rejected", reason: { kind: "WRONGTYPE" } },
      { status: "fulfilled", value: 4 },
    ]);
    const alone = proxy.loseReplyAfter(runsScript);
    expect(await counter.run({ keys: ["resent"], args: [1] })).toBe(5);
    expect(alone.lost).toBe(1);
  });

  it("of a kind that Sluice does not know is refused", async () => {
    expect(await rejection(Promise.resolve().then(() => fromNodeRedis({ masters: [] } as never)))).toMatchObject({
      code: "ERR_SLUICE_INVALID_ARGUMENT",
    });
  });
});
