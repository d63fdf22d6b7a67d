import { frozen, killProcess } from "@sluice/testing/faults";
import { findRedis, launchRedis } from "@sluice/testing/services";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const binary = await findRedis();

describe.skipIf(binary === undefined)("a Redis of its own", () => {
  let server: Awaited<ReturnType<typeof launchRedis>>;
  let client: Redis;

  beforeAll(async () => {
    server = await launchRedis({ binary: binary ?? "", settings: { appendonly: "yes", appendfsync: "always" } });
    client = new Redis(server.url, { retryStrategy: () => null });
    client.on("error", () => undefined);
    await client.ping();
  });

  afterAll(async () => {
    client.disconnect();
    await server.stop();
  });

  it("answers nothing while frozen and goes on with its data", async () => {
    await client.set("kept", "before");
    const during = await frozen(server.pid, async () => {
      let answered = false;
      const answer = client.append("kept", " and after").then(() => (answered = true));
      // The kernel takes new connections all the same.
      const other = new Redis(server.url, { retryStrategy: () => null, enableReadyCheck: false });
      await new Promise((resolve) => other.once("connect", resolve));
      other.disconnect();
      return { answer, answered };
    });
    expect(during.answered).toBe(false);
    await during.answer;
    await expect(client.get("kept")).resolves.toBe("before and after");
  });

  it("is gone for its clients when killed", async () => {
    const unanswered = client.blpop("nothing", 0).catch((error: Error) => error.message);
    await killProcess(server.pid);
    expect(await unanswered).toContain("closed");
    await expect(server.exited).resolves.toContain("SIGKILL");
  });
});
