import { frozen } from "@sluice/testing/faults";
import { describeNeeding } from "@sluice/testing/vitest";
import { Redis as Ioredis } from "ioredis";
import { expect, it, onTestFinished } from "vitest";

import { createCoalescer } from "../src/index.ts";
import { count, poisonable } from "./scripts.ts";
import { awake, connected, heard, ownServer, rejection, runsScript, throughProxy, timed, until } from "./servers.ts";

const hit = { keys: ["hits"], args: [1] };

describeNeeding({ redis: "real" }, "a failing Redis", () => {
  it("costs later calls nothing while it refuses connections", async () => {
    const server = await ownServer();
    await server.stop();
    const redis = connected({ url: server.url });
    const firstMs = await timed(async () => {
      expect(await rejection(redis.run(count, hit))).toMatchObject({
        code: "ERR_SLUICE_REDIS_UNAVAILABLE",
        applied: "no",
      });
    });
    expect(firstMs).toBeLessThan(300);
    const thousandMs = await timed(async () => {
      for (let call = 0; call < 1000; call += 1) {
        expect(await rejection(redis.run(count, hit))).toMatchObject({ reason: "breaker-open" });
      }
    });
    expect(thousandMs / 1000).toBeLessThan(1);
  });

  it("is used again without a restart of this process after Redis restarts empty", async () => {
    const server = await ownServer();
    const redis = connected({ url: server.url });
    const events = heard();
    await awake(redis);
    expect(await redis.run(count, hit)).toBe(1);
    await server.stop();
    await until(async () => (await rejection(redis.run(count, hit)))["reason"] === "breaker-open");
    await ownServer(server.port);
    // Restarted empty: the count begins anew, and the script is sent again.
    expect(await until(() => redis.run(count, hit), 5000)).toBe(1);
    const types = events.map(({ type }) => type);
    expect(types.filter((type) => type === "breaker-opened")).toEqual(["breaker-opened"]);
    expect(types.filter((type) => type === "breaker-closed")).toEqual(["breaker-closed"]);
  });

  it("costs three deadlines, then nothing, while Redis is frozen", async () => {
    const server = await ownServer();
    const redis = connected({ url: server.url, deadlineMs: 100, probeMs: 60_000 });
    await awake(redis);
    await redis.run(count, hit);
    await frozen(server.pid, async () => {
      for (let call = 0; call < 3; call += 1) {
        const ms = await timed(async () => {
          expect(await rejection(redis.run(count, hit))).toMatchObject({
            code: "ERR_SLUICE_REDIS_UNKNOWN",
            reason: "deadline",
          });
        });
        expect(ms).toBeGreaterThan(95);
      }
      const ms = await timed(async () => {
        expect(await rejection(redis.run(count, hit))).toMatchObject({ reason: "breaker-open" });
      });
      expect(ms).toBeLessThan(20);
    });
    // Late answers are a sign of life: no probe is needed.
    await until(() => redis.read("GET", ["hits"]), 5000);
  });

  it("keeps the deadline of calls that wait behind others for their turn", async () => {
    const server = await ownServer();
    const redis = connected({ url: server.url, deadlineMs: 5000, outageAfter: 10 });
    const busy = createCoalescer({ redis, script: count, deadlineMs: 5000 });
    const behind = createCoalescer({ redis, script: count, deadlineMs: 60 });
    await awake(redis);
    await frozen(server.pid, async () => {
      const sent = Array.from({ length: 512 }, () => busy.run(hit));
      // Both came while nothing was underway: the places are taken by the time their turn ends.
      const ms = await timed(async () => {
        for (const error of await Promise.all([1, 2].map(() => rejection(behind.run(hit)))))
          expect(error).toMatchObject({ reason: "deadline", applied: "no" });
      });
      expect(ms).toBeLessThan(1000);
      expect(behind.waiting).toBe(0);
      for (const call of sent) call.catch(() => {});
    });
  });

  it("tells a caller what the late answer was", async () => {
    const server = await ownServer();
    const redis = connected({ url: server.url, deadlineMs: 100 });
    await awake(redis);
    await redis.run(count, hit);
    const error = await frozen(server.pid, () => rejection(redis.run(count, hit)));
    expect(error).toMatchObject({ code: "ERR_SLUICE_REDIS_UNKNOWN", applied: "unknown" });
    expect(await error["late"]).toBe(2);
    expect(Object.keys(error)).not.toContain("late");
  });

  it("leaves no doubt about a read without an answer", async () => {
    const server = await ownServer();
    const redis = connected({ url: server.url, deadlineMs: 100 });
    await awake(redis);
    const error = await frozen(server.pid, () => rejection(redis.read("GET", ["hits"])));
    expect(error).toMatchObject({ code: "ERR_SLUICE_REDIS_UNAVAILABLE", applied: "no", reason: "deadline" });
  });

  it("takes a deadline of its own for one call", async () => {
    const server = await ownServer();
    const redis = connected({ url: server.url, deadlineMs: 5000 });
    await awake(redis);
    await frozen(server.pid, async () => {
      const ms = await timed(() => rejection(redis.run(count, hit, { deadlineMs: 50 })));
      expect(ms).toBeLessThan(1000);
    });
    expect(await rejection(redis.run(count, hit, { deadlineMs: 0 }))).toMatchObject({
      code: "ERR_SLUICE_INVALID_ARGUMENT",
    });
  });

  it("leaves a call unknown at once when the connection is reset mid-call", async () => {
    const { proxy, redis, direct } = await throughProxy({ deadlineMs: 5000 });
    await redis.run(count, hit);
    const lost = proxy.blackhole({ direction: "replies" });
    const call = rejection(redis.run(count, hit));
    await until(async () => (await direct.read("GET", ["hits"])) === "2");
    const ms = await timed(async () => {
      proxy.reset();
      expect(await call).toMatchObject({ code: "ERR_SLUICE_REDIS_UNKNOWN", reason: "connection-lost" });
    });
    expect(ms).toBeLessThan(1000);
    await lost.lift();
    expect(await until(() => redis.run(count, hit))).toBe(3);
  });

  it("counts once what it did when a reply is lost after the work was done", async () => {
    const { proxy, redis, direct } = await throughProxy({ deadlineMs: 1000 });
    await redis.run(count, hit);
    const replies = proxy.loseReplyAfter(runsScript);
    expect(await rejection(redis.run(count, hit))).toMatchObject({
      code: "ERR_SLUICE_REDIS_UNKNOWN",
      applied: "unknown",
    });
    expect(replies.lost).toBe(1);
    await until(() => redis.read("PING", []));
    expect(await direct.read("GET", ["hits"])).toBe("2");
  });

  it("gets the text again when its scripts are flushed, and counts once", async () => {
    const server = await ownServer();
    const redis = connected({ url: server.url });
    const counter = createCoalescer({ redis, script: count });
    await Promise.all([counter.run(hit), counter.run(hit)]);
    const admin = new Ioredis(server.port);
    onTestFinished(() => admin.disconnect());
    await admin.script("FLUSH");
    expect(await redis.run(count, hit)).toBe(3);
    await admin.script("FLUSH");
    expect(await Promise.all([counter.run(hit), counter.run(hit)])).toEqual([4, 5]);
  });

  it("is left when the server became a replica: not applied", async () => {
    const server = await ownServer();
    const events = heard();
    const redis = connected({ url: server.url });
    const counter = createCoalescer({ redis, script: poisonable });
    await awake(redis);
    const admin = new Ioredis(server.port);
    onTestFinished(() => admin.disconnect());
    await admin.replicaof("127.0.0.1", 1);
    expect(await rejection(redis.run(count, hit))).toMatchObject({
      code: "ERR_SLUICE_REDIS_UNAVAILABLE",
      reason: "server-state",
    });
    await until(() => events.some(({ type }) => type === "connection-lost"));
    await until(() => redis.read("PING", []));
    const batch = await Promise.all([rejection(counter.run(hit)), rejection(counter.run(hit))]);
    for (const error of batch) expect(error).toMatchObject({ applied: "no", reason: "server-state" });
  });

  it("with a wrong password shows no password in errors or events", async () => {
    const server = await ownServer();
    const events = heard();
    const redis = connected({ url: server.url.replace("redis://", "redis://user:hunter2@") });
    const error = await rejection(redis.run(count, hit));
    expect(error).toMatchObject({ code: "ERR_SLUICE_REDIS_UNAVAILABLE" });
    expect(error.message).toContain("WRONGPASS");
    const seen = JSON.stringify([
      events,
      error,
      error.stack,
      error.message,
      error.cause,
      Object.getOwnPropertyNames(error),
    ]);
    expect(seen).not.toContain("hunter2");
  });

  it("is named in its list of clients after the role", async () => {
    const server = await ownServer();
    const redis = connected({ url: server.url, role: "cache" });
    await redis.subscribe(
      "news",
      () => {},
      () => {},
    );
    await awake(redis);
    const admin = new Ioredis(server.port);
    onTestFinished(() => admin.disconnect());
    const list = String(await admin.client("LIST"));
    expect(list).toContain("name=sluice:cache ");
    expect(list).toContain("name=sluice:cache:subscriber ");
  });

  it("takes reads from the list only", async () => {
    const server = await ownServer();
    const redis = connected({ url: server.url });
    for (const command of ["SET", "get", "FLUSHALL", "constructor"]) {
      expect(await rejection(redis.read(command as "GET", ["a"]))).toMatchObject({
        code: "ERR_SLUICE_REDIS_NOT_A_READ",
      });
    }
  });

  it("bounds the calls that wait for it", async () => {
    const server = await ownServer();
    const redis = connected({ url: server.url, maxOutstanding: 2 });
    const outcomes = await Promise.allSettled([1, 2, 3].map(() => redis.run(count, hit)));
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected"]);
    expect((outcomes[2] as PromiseRejectedResult).reason).toMatchObject({ reason: "overloaded", applied: "no" });
  });
});
