import { describeNeeding } from "@sluice/testing/vitest";
import { expect, it } from "vitest";

import { count } from "./scripts.ts";
import { awake, connected, ownServer, rejection } from "./servers.ts";

const hit = { keys: ["hits"], args: [1] };

describeNeeding({ redis: "real" }, "a connection", () => {
  it("is closed: waiting calls are refused, sent ones are awaited", async () => {
    const server = await ownServer();
    const redis = connected({ url: server.url });
    await awake(redis);
    const underway = redis.run(count, hit);
    await redis.close();
    expect(await underway).toBe(1);
    expect(await rejection(redis.run(count, hit))).toMatchObject({ reason: "closed", applied: "no" });
    expect(
      await rejection(
        redis.subscribe(
          "news",
          () => {},
          () => {},
        ),
      ),
    ).toMatchObject({ reason: "closed" });
  });

  it("may be closed twice, also while a call is underway", async () => {
    const server = await ownServer();
    const redis = connected({ url: server.url });
    await awake(redis);
    const underway = redis.run(count, hit);
    await Promise.all([redis.close(), redis.close(), redis[Symbol.asyncDispose]()]);
    expect(await underway).toBe(1);
    await redis.close();
  });
});
