import { systemClock } from "@sluice/core";
import { describeNeeding, recordFault } from "@sluice/testing/vitest";
import { Redis as Ioredis } from "ioredis";
import { expect, it, onTestFinished } from "vitest";

import type { RedisConnection } from "../src/index.ts";
import { scriptOf } from "./scripts.ts";
import { connected, ownServer, throughProxy, timed, until } from "./servers.ts";

interface Heard {
  readonly messages: string[];
  readonly doubts: string[];
}

async function listening(redis: RedisConnection) {
  const heardSoFar: Heard = { messages: [], doubts: [] };
  const subscription = await redis.subscribe(
    "news",
    (message) => heardSoFar.messages.push(message),
    (doubt) => heardSoFar.doubts.push(doubt),
  );
  return { subscription, ...heardSoFar };
}

function told(doubts: readonly string[]): string[] {
  return [...new Set(doubts)].map((doubt) => `doubt ${doubt}`);
}

function tell(redis: RedisConnection, message: string): Promise<unknown> {
  return redis.run(scriptOf("tell", "return redis.call('PUBLISH', 'news', ARGV[1])"), { keys: [], args: [message] });
}

describeNeeding({ redis: "real" }, "a subscription", () => {
  it("proves up to which moment every message was delivered", async () => {
    const server = await ownServer();
    const redis = connected({ url: server.url, heartbeatMs: 30 });
    const { subscription } = await listening(redis);
    const atMs = systemClock.monotonic();
    await until(() => subscription.deliveredUpToMs > atMs);
    expect(subscription.live).toBe(true);
  });

  it("is killed alone: doubt at once, then messages again", async () => {
    const server = await ownServer();
    const redis = connected({ url: server.url });
    const { subscription, messages, doubts } = await listening(redis);
    const admin = new Ioredis(server.port);
    onTestFinished(() => admin.disconnect());
    expect(await admin.client("KILL", "TYPE", "PUBSUB")).toBe(1);
    const doubtMs = await timed(() => until(() => doubts.includes("connection-lost")));
    const recoveryMs = await timed(() => until(() => subscription.live));
    recordFault({ fault: "subscriber killed, until told", addedLatencyMs: doubtMs, recoveryMs, errors: told(doubts) });
    expect(doubts).toEqual(["connection-lost", "resubscribed"]);
    await tell(redis, "after");
    await until(() => messages.includes("after"));
  });

  it("is in doubt within two heartbeats when its connection falls silent, then live again", async () => {
    const { proxy, redis, direct } = await throughProxy({ heartbeatMs: 100 });
    const { subscription, messages, doubts } = await listening(redis);
    const hole = proxy.blackhole();
    const doubtMs = await timed(() => until(() => doubts.includes("silence")));
    expect(doubtMs).toBeLessThan(2000);
    const [live, deliveredUpToMs] = [subscription.live, subscription.deliveredUpToMs];
    await tell(direct, "missed");
    expect([live, subscription.deliveredUpToMs]).toEqual([false, deliveredUpToMs]);
    await hole.lift();
    const recoveryMs = await timed(() => until(() => doubts.includes("resubscribed")));
    recordFault({ fault: "subscriber cut off, until told", addedLatencyMs: doubtMs, recoveryMs, errors: told(doubts) });
    await tell(direct, "heard");
    await until(() => messages.includes("heard"));
    expect(messages).toEqual(["heard"]);
  });

  it("begins in doubt while the server is away, and comes to life with it", async () => {
    const server = await ownServer();
    await server.stop();
    const redis = connected({ url: server.url, deadlineMs: 50 });
    const { subscription, messages, doubts } = await listening(redis);
    expect([subscription.live, subscription.deliveredUpToMs, doubts]).toEqual([false, -Infinity, ["unavailable"]]);
    await ownServer(server.port);
    await until(() => subscription.live);
    expect(doubts).toEqual(["unavailable", "resubscribed"]);
    await until(() => tell(redis, "hello"));
    await until(() => messages.includes("hello"));
  });

  it("is not kept by the server when it ends before it was confirmed", async () => {
    const { proxy, redis, direct } = await throughProxy({ deadlineMs: 100, heartbeatMs: 10_000 });
    await listening(redis);
    const listeners = (channel: string): Promise<unknown> =>
      direct.run(scriptOf("listeners", "return redis.call('PUBSUB', 'NUMSUB', ARGV[1])[2]"), {
        keys: [],
        args: [channel],
      });
    const hole = proxy.blackhole({ direction: "replies" });
    const late = await redis.subscribe(
      "late",
      () => {},
      () => {},
    );
    expect([late.live, await listeners("late")]).toEqual([false, 1]);
    const ended = late.close();
    await hole.lift();
    await ended;
    expect([await listeners("late"), await listeners("news")]).toEqual([0, 1]);
  });

  it("shares its connection, and closing the last one ends it", async () => {
    const server = await ownServer();
    const redis = connected({ url: server.url });
    const [first, second] = [await listening(redis), await listening(redis)];
    const admin = new Ioredis(server.port);
    onTestFinished(() => admin.disconnect());
    const links = async (): Promise<number> =>
      String(await admin.client("LIST", "TYPE", "PUBSUB")).split("sub=1").length - 1;
    expect(await links()).toBe(1);
    await first.subscription.close();
    await tell(redis, "one");
    await until(() => second.messages.includes("one"));
    expect(first.messages).toEqual([]);
    await second.subscription.close();
    await until(async () => (await links()) === 0);
    expect(second.doubts).toEqual([]);
    const again = await listening(redis);
    await tell(redis, "two");
    await until(() => again.messages.includes("two"));
  });
});
