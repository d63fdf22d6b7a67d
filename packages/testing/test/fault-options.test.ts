import { createFaultProxy } from "@sluice/testing/faults";
import { describe, expect, it } from "vitest";

const elsewhere = { host: "127.0.0.1", port: 1 };

describe("a mistaken option", () => {
  it.each([
    ["delayMs", (proxy) => proxy.latency({ delayMs: -1 })],
    ["jitterMs", (proxy) => proxy.latency({ delayMs: 1, jitterMs: Number.NaN })],
    ["bytesPerSecond", (proxy) => proxy.throttle({ bytesPerSecond: 0 })],
    ["bytes", (proxy) => proxy.slice({ bytes: 1.5 })],
    ["gapMs", (proxy) => proxy.slice({ bytes: 1, gapMs: Infinity })],
    ["direction", (proxy) => proxy.halfOpen({ direction: "up" as "requests" })],
    ["bytes", (proxy) => proxy.blackhole({ bytes: "eat" as "drop" })],
    ["times", (proxy) => proxy.loseReplyAfter(() => true, { times: 0 })],
  ] satisfies [string, (proxy: Awaited<ReturnType<typeof createFaultProxy>>) => unknown][])(
    "is refused by its name: %s",
    async (argument, use) => {
      await using proxy = await createFaultProxy({ upstream: elsewhere });
      expect(() => use(proxy)).toThrow(expect.objectContaining({ code: "ERR_SLUICE_INVALID_ARGUMENT", argument }));
    },
  );

  it("is refused when the upstream has no port", async () => {
    await expect(createFaultProxy({ upstream: { host: "127.0.0.1", port: 0 } })).rejects.toThrow("upstream.port");
  });
});
