import { randomUUID } from "node:crypto";

import { seededRandom, systemClock } from "@sluice/core";
import { describe, expect, it, onTestFinished } from "vitest";

import { sendCrowd } from "../src/demo/crowd.ts";
import type { Load, Tally } from "../src/demo/load.ts";
import { startSaleDouble, type SaleDouble } from "./support/sale-double.ts";

async function double(...args: Parameters<typeof startSaleDouble>): Promise<SaleDouble> {
  const server = await startSaleDouble(...args);
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}

const buyersOf = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ token: `token ${index}`, address: `198.18.0.${index}` }));

async function crowd(url: string, load: Partial<Load> = {}): Promise<{ tally: Tally; heard: readonly number[] }> {
  const heard: number[] = [];
  const whole = { url, productId: "42", buyers: buyersOf(40), sockets: 8, withinMs: 20_000, ...load };
  const onAnswer = (answered: number): void => void heard.push(answered);
  return { tally: await sendCrowd(whole, { clock: systemClock, random: seededRandom(1), onAnswer }), heard };
}

const accepted = () => ({
  status: 202,
  body: { order_id: randomUUID() },
  headers: { "server-timing": "accept;dur=1.5" },
});

describe("a crowd", () => {
  it("sends every buyer once, with a token, a key and an address of its own, and counts what each was told", async () => {
    let units = 10;
    const server = await double(() => (units-- > 0 ? accepted() : { status: 409 }));
    const { tally, heard } = await crowd(server.url);
    expect(tally).toMatchObject({ refused: 30, others: {}, repeats: 0 });
    expect(tally.accepted.map(({ acceptMs }) => acceptMs)).toEqual(Array.from({ length: 10 }, () => 1.5));
    expect(new Set(tally.accepted.map(({ orderId }) => orderId)).size).toBe(10);
    for (const field of ["token", "address", "key"] as const) {
      expect(new Set(server.arrivals.map((arrival) => arrival[field])).size).toBe(40);
    }
    expect(server.arrivals[0]).toMatchObject({ token: "Bearer token 0", address: "198.18.0.0", productId: "42" });
    expect(heard).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
  });

  it("opens no more connections than it may", async () => {
    const server = await double(() => ({ status: 409 }));
    await crowd(server.url, { sockets: 3 });
    expect(server.mostSockets()).toBe(3);
  });

  it("sends a purchase again under the same key when the server is busy, or the answer is lost", async () => {
    const server = await double(({ token, before }) => {
      if (before > 0) return accepted();
      return token.endsWith("0") ? undefined : { status: 503, headers: { "retry-after": "0" } };
    });
    const { tally } = await crowd(server.url, { buyers: buyersOf(20) });
    expect(tally).toMatchObject({ refused: 0, others: {}, repeats: 20 });
    expect(tally.accepted).toHaveLength(20);
    expect(new Set(server.arrivals.map(({ key }) => key)).size).toBe(20);
  });

  it("asks so often at most, and never again after a refusal or a limit", async () => {
    const server = await double(({ token }) =>
      token.endsWith("0") ? { status: 503, headers: { "retry-after": "0" } } : { status: 429 },
    );
    const { tally } = await crowd(server.url, { buyers: buyersOf(2) });
    expect(tally).toMatchObject({ accepted: [], others: { "503": 1, "429": 1 }, repeats: 4 });
    expect(server.arrivals).toHaveLength(6);
  });

  it("ends in time when a server does not answer", async () => {
    const server = await double(() => new Promise(() => undefined));
    const { tally } = await crowd(server.url, { withinMs: 200 });
    expect(tally).toMatchObject({ accepted: [], refused: 0, others: { "no answer in time": 40 } });
  });

  it("asks no server of another machine", async () => {
    await expect(crowd("http://192.0.2.1:80")).rejects.toThrow("Only servers on this machine");
  });
});
