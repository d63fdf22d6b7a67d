import { once } from "node:events";

import { describe, expect, it } from "vitest";

import { createRig } from "./fault-peers.ts";

const nextTurn = globalThis.setImmediate;

describe("a blackhole", () => {
  it("delivers what it held once it is lifted", async () => {
    await using rig = await createRig();
    const { client, server } = await rig.join();
    const blackhole = rig.proxy.blackhole();
    client.socket.write("question");
    client.socket.end();
    server.socket.write("news");
    await rig.proxy.until(({ held }) => held.requests === 8 && held.replies === 4);
    expect([server.pieces, server.endings, client.pieces]).toEqual([[], [], []]);
    await blackhole.lift();
    await server.hears("question");
    await client.hears("news");
    if (server.endings.length === 0) await once(server.socket, "end");
    expect(server.endings).toEqual(["end"]);
  });

  it("hides the end of a connection, too", async () => {
    await using rig = await createRig();
    const { client, server } = await rig.join();
    const blackhole = rig.proxy.blackhole({ bytes: "drop" });
    client.socket.end("bye");
    await rig.proxy.until(({ dropped }) => dropped.requests === 3);
    for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => nextTurn(resolve));
    expect(server.endings).toEqual([]);
    const ended = once(server.socket, "end");
    await blackhole.lift();
    await ended;
  });

  it("throws bytes away when told to", async () => {
    await using rig = await createRig();
    const { client, server } = await rig.join();
    const blackhole = rig.proxy.blackhole({ bytes: "drop" });
    client.socket.write("lost");
    await rig.proxy.until(({ dropped }) => dropped.requests === 4);
    await blackhole.lift();
    client.socket.write("found");
    await server.hears("found");
    expect(rig.proxy.traffic().held.requests).toBe(0);
  });

  it("is on one way alone when told to", async () => {
    await using rig = await createRig();
    const { client, server } = await rig.join();
    rig.proxy.blackhole({ direction: "replies" });
    client.socket.write("question");
    await server.hears("question");
    server.socket.write("answer");
    await rig.proxy.until(({ held }) => held.replies === 6);
    expect(client.pieces).toEqual([]);
  });

  it("holds a bounded number of bytes and then stops reading", async () => {
    await using rig = await createRig();
    const { client, server } = await rig.join();
    const blackhole = rig.proxy.blackhole();
    const sent = "x".repeat(8 * 2 ** 20);
    client.socket.write(sent);
    await rig.proxy.until(({ held }) => held.requests >= 2 ** 20);
    for (let turn = 0; turn < 200; turn += 1) await new Promise((resolve) => nextTurn(resolve));
    expect(rig.proxy.traffic().held.requests).toBeLessThan(2 * 2 ** 20);
    await blackhole.lift();
    await rig.proxy.until(({ delivered }) => delivered.requests === sent.length);
    await server.hears(sent);
  });
});
