import { continueProcess, stopProcess, type Fault } from "@sluice/testing/faults";
import { describeNeeding, type MeasuredFault } from "@sluice/testing/vitest";
import { Redis as Ioredis } from "ioredis";
import { expect, it, onTestFinished } from "vitest";

import { createCoalescer, type Redis } from "../src/index.ts";
import { withstand } from "./fault-load.ts";
import { count } from "./scripts.ts";
import { connected, ownServer, runsScript, throughProxy } from "./servers.ts";

const unknown = "ERR_SLUICE_REDIS_UNKNOWN";
const unavailable = "ERR_SLUICE_REDIS_UNAVAILABLE";
const refused = `${unavailable} (breaker-open)`;

/** A call as primitives make it: through the coalescer. */
function visiting(redis: Redis, deadlineMs = 250): () => Promise<unknown> {
  const visits = createCoalescer({ redis, script: count, deadlineMs });
  return () => visits.run({ keys: ["hits"], args: [1] });
}

/** No call took longer than its deadline of 250 ms, and soon all work again; what a busy machine adds included. */
function expectBrief({ addedLatencyMs, recoveryMs }: MeasuredFault): void {
  expect(addedLatencyMs).toBeLessThan(500);
  expect(recoveryMs).toBeLessThan(5000);
}

describeNeeding({ redis: "real" }, "callers that go on through a fault", () => {
  it("are refused at once while Redis refuses connections", async () => {
    const { proxy, redis } = await throughProxy();
    let refusal: Fault | undefined;
    const measured = await withstand({
      fault: "Redis refuses connections",
      call: visiting(redis),
      strike: async () => {
        refusal = await proxy.refuse();
        proxy.reset();
      },
      lastsUntil: refused,
      repair: () => refusal?.lift(),
    });
    expectBrief(measured);
    expect(measured.errors).toContain(`${unavailable} (not-connected)`);
  });

  it("wait for three deadlines and no more while Redis is frozen", async () => {
    const server = await ownServer();
    const redis = connected({ url: server.url });
    onTestFinished(() => continueProcess(server.pid));
    const measured = await withstand({
      fault: "Redis frozen, then resumed",
      call: visiting(redis),
      strike: () => stopProcess(server.pid),
      lastsUntil: refused,
      repair: () => continueProcess(server.pid),
    });
    expectBrief(measured);
    expect(measured.errors).toEqual([refused, `${unknown} (deadline)`]);
  });

  it("see an unknown outcome once when the connection is reset mid-call", async () => {
    const { proxy, redis } = await throughProxy({ deadlineMs: 10_000 });
    const measured = await withstand({
      fault: "connection reset mid-call",
      call: visiting(redis, 10_000),
      strike: async () => {
        const hole = proxy.blackhole({ direction: "replies" });
        // The answer to a call, be it one that was underway.
        await proxy.until(({ held }) => held.replies > 0);
        proxy.reset();
        await hole.lift();
      },
    });
    expectBrief(measured);
    expect(measured.errors).toContain(`${unknown} (connection-lost)`);
  });

  it("go on when Redis is restarted empty", async () => {
    const server = await ownServer();
    const redis = connected({ url: server.url });
    const measured = await withstand({
      fault: "Redis restarted empty",
      call: visiting(redis),
      strike: () => server.stop(),
      lastsUntil: `${unavailable} (not-connected)`,
      repair: () => ownServer(server.port),
    });
    expectBrief(measured);
    expect(measured.errors).toContain(`${unavailable} (not-connected)`);
  });

  it("notice nothing when the scripts are flushed", async () => {
    const server = await ownServer();
    const redis = connected({ url: server.url });
    const admin = new Ioredis(server.port);
    onTestFinished(() => admin.disconnect());
    const measured = await withstand({
      fault: "script cache flushed",
      call: visiting(redis),
      strike: () => admin.script("FLUSH"),
    });
    expectBrief(measured);
    expect(measured.errors).toEqual([]);
  });

  it("see an unknown outcome once when a reply is lost, and count once", async () => {
    // Longer than a busy machine takes to tell of the loss, which comes once and must not be taken for slowness.
    const { proxy, redis, direct } = await throughProxy({ deadlineMs: 10_000 });
    const call = visiting(redis, 10_000);
    let answered = 0;
    const measured = await withstand({
      fault: "reply lost after the work",
      call: () => call().then(() => (answered += 1)),
      strike: () => void proxy.loseReplyAfter(runsScript),
      lastsUntil: `${unknown} (connection-lost)`,
    });
    expectBrief(measured);
    expect(Number(await direct.read("GET", ["hits"]))).toBe(answered + 1);
  });
});
