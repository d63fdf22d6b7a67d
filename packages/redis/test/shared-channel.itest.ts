import { describeNeeding } from "@sluice/testing/vitest";
import { expect, it } from "vitest";

import type { RedisConnection, Subscription } from "../src/index.ts";
import { everyClient } from "./every-client.ts";
import { scriptOf } from "./scripts.ts";
import { ownServer, until } from "./servers.ts";

const publish = scriptOf("publish", "return redis.call('PUBLISH', ARGV[1], ARGV[2])");

/** Publishes, and says how many connections the server has told. */
function tell(redis: RedisConnection, channel: string, message: string): Promise<unknown> {
  return redis.run(publish, { keys: [], args: [channel, message] });
}

function listen(redis: RedisConnection, channel: string, onMessage: (message: string) => void): Promise<Subscription> {
  return redis.subscribe(channel, onMessage, () => {});
}

describeNeeding({ redis: "real" }, "listeners of one channel", () => {
  it.each(everyClient)("hear each message once each, through $name on $on", async ({ open, engine }) => {
    const redis = await open((await ownServer(undefined, engine)).port);
    const heard: string[] = [];
    await listen(redis, "news", (message) => heard.push(`first ${message}`));
    await listen(redis, "news", (message) => heard.push(`second ${message}`));
    for (const message of ["one", "two"]) await tell(redis, "news", message);
    await until(() => heard.includes("second two"));
    expect(heard).toEqual(["first one", "second one", "first two", "second two"]);
  });

  it.each(everyClient)("may come as the last one leaves, through $name on $on", async ({ open, engine }) => {
    const redis = await open((await ownServer(undefined, engine)).port);
    const heard: string[] = [];
    await listen(redis, "other", () => {});
    for (let round = 0; round < 5; round += 1) {
      const leaving = await listen(redis, "news", () => {});
      const left = leaving.close();
      const staying = await listen(redis, "news", (message) => heard.push(message));
      await left;
      expect([staying.live, await tell(redis, "news", `round ${round}`)]).toEqual([true, 1]);
      await until(() => heard.includes(`round ${round}`));
      await staying.close();
      expect(await tell(redis, "news", "nobody listens")).toBe(0);
    }
    expect(heard.length).toBe(5);
  });

  it.each(everyClient)("may leave and come while they are told, through $name on $on", async ({ open, engine }) => {
    const redis = await open((await ownServer(undefined, engine)).port);
    const heard: string[] = [];
    const next: Promise<Subscription>[] = [];
    const once = await listen(redis, "news", (message) => {
      heard.push(`once ${message}`);
      next.push(listen(redis, "news", (later) => heard.push(`next ${later}`)));
      void once.close();
    });
    await tell(redis, "news", "one");
    await until(() => next.length > 0);
    await Promise.all(next);
    await tell(redis, "news", "two");
    await until(() => heard.includes("next two"));
    expect(heard.filter((each) => each !== "next one")).toEqual(["once one", "next two"]);
  });
});
