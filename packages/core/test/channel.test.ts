import { afterEach, describe, expect, it, vi } from "vitest";

import { channel as nodeChannel } from "../src/channel.node.ts";
import { channel as portableChannel } from "../src/channel.portable.ts";
import { uncaughtAfter } from "./thrown.ts";

afterEach(() => vi.unstubAllGlobals());

describe.each([
  ["node", nodeChannel],
  ["portable", portableChannel],
])("a channel on %s", (platform, channel) => {
  it("is one channel per name", () => {
    expect(channel(`sluice:same:${platform}`)).toBe(channel(`sluice:same:${platform}`));
    expect(channel(`sluice:same:${platform}`)).not.toBe(channel(`sluice:other:${platform}`));
  });

  it("hands every listener the message and the name", () => {
    const stream = channel(`sluice:deliver:${platform}`);
    const heard: unknown[] = [];
    stream.subscribe((message, name) => heard.push(["first", message, name]));
    stream.subscribe((message) => heard.push(["second", message]));
    stream.publish(7);
    expect(heard).toEqual([
      ["first", 7, `sluice:deliver:${platform}`],
      ["second", 7],
    ]);
  });

  it("counts its listeners as they come and go", () => {
    const stream = channel(`sluice:count:${platform}`);
    const heard: unknown[] = [];
    const listener = (message: unknown): unknown => heard.push(message);
    expect(stream.hasSubscribers).toBe(false);
    stream.subscribe(listener);
    stream.subscribe(listener);
    stream.publish(1);
    stream.unsubscribe(listener);
    expect(stream.hasSubscribers).toBe(true);
    stream.publish(2);
    stream.unsubscribe(listener);
    stream.unsubscribe(listener);
    stream.publish(3);
    expect(stream.hasSubscribers).toBe(false);
    expect(heard).toEqual([1, 1, 2]);
  });

  it("keeps its listeners while a message is delivered", () => {
    const stream = channel(`sluice:snapshot:${platform}`);
    const heard: string[] = [];
    const second = (): unknown => heard.push("second");
    stream.subscribe(() => {
      stream.unsubscribe(second);
      stream.subscribe(() => heard.push("late"));
    });
    stream.subscribe(second);
    stream.publish(1);
    expect(heard).toEqual(["second"]);
    stream.publish(2);
    expect(heard).toEqual(["second", "late"]);
  });

  it("reports a throwing listener without hurting the publisher", async () => {
    const stream = channel(`sluice:throws:${platform}`);
    const failure = new Error("listener");
    const heard: unknown[] = [];
    stream.subscribe(() => {
      throw failure;
    });
    stream.subscribe((message) => heard.push(message));
    const reported = await uncaughtAfter(() => {
      stream.publish(1);
      heard.push("publisher went on");
    });
    expect(reported).toBe(failure);
    expect(heard).toEqual([1, "publisher went on"]);
  });

  it("publishes before it runs work with stores", () => {
    const stream = channel(`sluice:stores:${platform}`);
    const order: unknown[] = [];
    stream.subscribe((message) => order.push(message));
    const message = { id: 1 };
    expect(stream.runStores(message, () => order.push("work"))).toBe(2);
    expect(order).toEqual([message, "work"]);
  });
});

describe("a portable channel", () => {
  it("hands errors to reportError where there is one", async () => {
    const reported: unknown[] = [];
    vi.stubGlobal("reportError", (error: unknown) => reported.push(error));
    const failure = new Error("listener");
    const stream = portableChannel("sluice:reported");
    stream.subscribe(() => {
      throw failure;
    });
    stream.publish(1);
    expect(reported).toEqual([]);
    await Promise.resolve();
    expect(reported).toEqual([failure]);
  });

  it("is shared by two installed copies", async () => {
    vi.resetModules();
    const copy = await import("../src/channel.portable.ts");
    expect(copy.channel).not.toBe(portableChannel);
    expect(copy.channel("sluice:copies")).toBe(portableChannel("sluice:copies"));
  });
});
