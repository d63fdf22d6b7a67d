import { once } from "node:events";
import { connect } from "node:net";

import { seededRandom } from "@sluice/core";
import { createFakeClock } from "@sluice/testing";
import { createFaultProxy } from "@sluice/testing/faults";
import { describe, expect, it } from "vitest";

import { createRig, listenTo } from "./fault-peers.ts";

const elsewhere = { host: "127.0.0.1", port: 1 };

describe("a fault proxy without faults", () => {
  it("carries bytes both ways, and the end of each side", async () => {
    await using rig = await createRig();
    const { client, server } = await rig.join();
    client.socket.write("question");
    await server.hears("question");
    client.socket.end();
    await once(server.socket, "end");
    server.socket.end("answer");
    await client.hears("answer");
    await client.closed();
    await rig.proxy.until(({ connections }) => connections === 0);
    expect(client.endings).toEqual(["end", "close"]);
    expect(rig.proxy.traffic()).toMatchObject({ accepted: 1, delivered: { requests: 8, replies: 6 } });
  });

  it("resets a client whose server cannot be reached", async () => {
    await using proxy = await createFaultProxy({ upstream: elsewhere });
    const client = listenTo(connect(proxy.port, "127.0.0.1"));
    await client.closed();
    expect(client.endings).toEqual(["ECONNRESET", "close"]);
  });

  it("passes a reset on as a reset", async () => {
    await using rig = await createRig();
    const { client, server } = await rig.join();
    server.socket.resetAndDestroy();
    await client.closed();
    expect(client.endings).toEqual(["ECONNRESET", "close"]);
  });

  it("points a URL at itself", async () => {
    await using proxy = await createFaultProxy({ upstream: elsewhere });
    expect(proxy.url("postgres://user:word@db.example:5432/shop?x=1")).toBe(
      `postgres://user:word@127.0.0.1:${proxy.port}/shop?x=1`,
    );
  });
});

describe("latency", () => {
  it("delays each way by exactly its time", async () => {
    const clock = createFakeClock();
    await using rig = await createRig({ clock });
    rig.proxy.latency({ delayMs: 100 });
    const { client, server } = await rig.join();
    client.socket.write("question");
    await rig.proxy.until(({ held }) => held.requests === 8);
    await clock.advance(99);
    expect(rig.proxy.traffic().delivered.requests).toBe(0);
    await clock.advance(1);
    await server.hears("question");
    server.socket.write("answer");
    await rig.proxy.until(({ held }) => held.replies === 6);
    await clock.advance(100);
    await client.hears("answer");
  });

  it("keeps the order of bytes whatever the jitter", async () => {
    const clock = createFakeClock();
    await using rig = await createRig({ clock, random: seededRandom(7) });
    rig.proxy.latency({ delayMs: 10, jitterMs: 1000, direction: "requests" });
    const { client, server } = await rig.join();
    const words = Array.from({ length: 20 }, (_, index) => `w${index},`);
    let bytes = 0;
    for (const word of words) {
      client.socket.write(word);
      bytes += word.length;
      const sent = bytes;
      await rig.proxy.until(({ held }) => held.requests === sent);
    }
    // The source of chance is the only other thing that decides: the longest of twenty draws.
    const random = seededRandom(7);
    const longestMs = Math.max(...words.map(() => 10 + random.float() * 1000));
    await clock.advance(longestMs - 0.001);
    expect(rig.proxy.traffic().held.requests).toBeGreaterThan(0);
    await clock.advance(0.001);
    await server.hears(words.join(""));
  });

  it("lets what is under way arrive when it is lifted", async () => {
    await using rig = await createRig({ clock: createFakeClock() });
    const latency = rig.proxy.latency({ delayMs: 60_000 });
    const { client, server } = await rig.join();
    client.socket.write("question");
    await rig.proxy.until(({ held }) => held.requests === 8);
    await latency.lift();
    await server.hears("question");
    server.socket.write("answer");
    await client.hears("answer");
    expect(rig.proxy.traffic().held).toEqual({ requests: 0, replies: 0 });
  });

  it("adds up with another latency", async () => {
    const clock = createFakeClock();
    await using rig = await createRig({ clock });
    const { client, server } = await rig.join();
    const latency = rig.proxy.latency({ delayMs: 30 });
    rig.proxy.latency({ delayMs: 50 });
    client.socket.write("one");
    await rig.proxy.until(({ held }) => held.requests === 3);
    await clock.advance(79);
    expect(rig.proxy.traffic().delivered.requests).toBe(0);
    await clock.advance(1);
    await server.hears("one");
    await latency.lift();
    client.socket.write("two");
    await rig.proxy.until(({ held }) => held.requests === 3);
    await clock.advance(50);
    await server.hears("onetwo");
  });
});

describe("limits on bandwidth and size", () => {
  it("lets no more bytes through than the time allows", async () => {
    const clock = createFakeClock();
    await using rig = await createRig({ clock });
    rig.proxy.throttle({ bytesPerSecond: 1000, direction: "requests" });
    const { client, server } = await rig.join();
    client.socket.write("x".repeat(500));
    await rig.proxy.until(({ held, delivered }) => held.requests + delivered.requests === 500);
    for (let tick = 1; tick <= 10; tick += 1) {
      await rig.proxy.until(({ delivered }) => delivered.requests === tick * 20);
      await clock.advance(19);
      expect(rig.proxy.traffic().delivered.requests).toBe(tick * 20);
      await clock.advance(1);
    }
    server.socket.write("free");
    await client.hears("free");
  });

  it("cuts bytes into pieces that arrive one by one", async () => {
    const clock = createFakeClock();
    await using rig = await createRig({ clock });
    rig.proxy.slice({ bytes: 3, gapMs: 5 });
    const { client, server } = await rig.join();
    client.socket.write("abcdefgh");
    for (const heard of ["abc", "abcdef", "abcdefgh"]) {
      await server.hears(heard);
      await clock.advance(5);
    }
    expect(server.pieces).toEqual(["abc", "def", "gh"]);
  });
});

describe("the end of a connection", () => {
  it("resets every open connection at both ends", async () => {
    await using rig = await createRig();
    const [one, other] = [await rig.join(), await rig.join()];
    expect(rig.proxy.reset()).toBe(2);
    for (const peer of [one.client, one.server, other.client, other.server]) {
      await peer.closed();
      expect(peer.endings).toEqual(["ECONNRESET", "close"]);
    }
    const later = await rig.join();
    later.client.socket.write("still here");
    await later.server.hears("still here");
  });

  it("refuses new connections and keeps the open ones", async () => {
    await using rig = await createRig();
    const open = await rig.join();
    const refusal = await rig.proxy.refuse();
    const refused = listenTo(connect(rig.proxy.port, "127.0.0.1"));
    await refused.closed();
    expect(refused.endings).toEqual(["ECONNREFUSED", "close"]);
    open.client.socket.write("open");
    await open.server.hears("open");
    await refusal.lift();
    const again = await rig.join();
    again.client.socket.write("again");
    await again.server.hears("again");
  });

  it("hides the client's end from the server until it is lifted", async () => {
    await using rig = await createRig();
    const { client, server } = await rig.join();
    const halfOpen = rig.proxy.halfOpen({ direction: "requests" });
    client.socket.write("last words");
    client.socket.resetAndDestroy();
    await server.hears("last words");
    await client.closed();
    server.socket.write("to nobody");
    await rig.proxy.until(({ delivered }) => delivered.replies === 9);
    expect([server.endings, rig.proxy.connections]).toEqual([[], 1]);
    await halfOpen.lift();
    await server.closed();
    expect(server.endings).toEqual(["ECONNRESET", "close"]);
  });

  it("hides the server's end from the client alone", async () => {
    await using rig = await createRig();
    const { client, server } = await rig.join();
    rig.proxy.halfOpen({ direction: "replies" });
    server.socket.end("bye");
    await client.hears("bye");
    client.socket.end("and you");
    await server.hears("and you");
    await server.closed();
    expect(client.endings).toEqual([]);
  });

  it("closes everything, timers and waiters included", async () => {
    const clock = createFakeClock();
    const rig = await createRig({ clock });
    const { client } = await rig.join();
    rig.proxy.latency({ delayMs: 1000 });
    client.socket.write("question");
    await rig.proxy.until(({ held }) => held.requests === 8);
    const waiting = rig.proxy.until(() => false);
    const closing = Promise.all([rig.proxy.close(), rig.proxy.close()]);
    await expect(waiting).rejects.toMatchObject({ code: "ERR_SLUICE_FAULT_PROXY_CLOSED" });
    await closing;
    expect([clock.pendingTimers, rig.proxy.connections]).toEqual([0, 0]);
    expect(() => rig.proxy.blackhole()).toThrow("closed");
    await rig[Symbol.asyncDispose]();
  });

  it("stops waiting when the signal aborts", async () => {
    await using rig = await createRig();
    const giveUp = new AbortController();
    const waiting = rig.proxy.until(() => false, giveUp.signal);
    giveUp.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
  });
});
