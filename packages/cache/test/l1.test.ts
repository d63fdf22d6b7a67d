import { sleep } from "@sluice/core";
import { createFakeClock } from "@sluice/testing";
import { describe, expect, it } from "vitest";

import { memoryStore, type PushListener } from "../src/index.ts";
import { shop, type Row } from "./support/shop.ts";

/** A store whose announcements the test makes. */
function announced() {
  const clock = createFakeClock();
  const inner = memoryStore({ clock });
  const pushes = { live: true, deliveredUpToMs: 0, close: async () => {} };
  const heardBy: PushListener[] = [];
  const store = new Proxy(inner, {
    get(target, name) {
      if (name === "listen") return async (listener: PushListener) => (heardBy.push(listener), pushes);
      const member: unknown = Reflect.get(target, name);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
  return { store, clock, pushes, push: (key: string) => heardBy[0]?.onPush(key), doubt: () => heardBy[0]?.onDoubt() };
}

describe("copies in this process", () => {
  it("answer at once, until an announcement about them", async () => {
    const { store, push } = announced();
    const here = shop({ cache: { store, l1: { maxAge: "30s", maxLag: "60s" } } });
    await here.cache.ready();
    const entry = here.rows.entry("a");
    expect(entry.peek()).toBeUndefined();
    const row = await entry.get();
    expect(entry.peek()).toBe(row);
    expect(here.rows.peek("a")).toBe(row);
    push("row:other");
    expect(entry.peek()).toBe(row);
    push(entry.key);
    expect(entry.peek()).toBeUndefined();
    await entry.get();
    push("sl:{row}:g");
    expect(entry.peek()).toBeUndefined();
    expect(here.rows.stats().reads).toMatchObject({ l1: 3, miss: 1, hit: 1 });
  });

  it("are not read for longer than maxAge, nor than their value lives", async () => {
    const { store, clock, pushes } = announced();
    const here = shop({ clock, cache: { store, l1: { maxAge: "5s", maxLag: "1h" } }, scope: { ttl: "8s" } });
    await here.cache.ready();
    const entry = here.rows.entry("a");
    await entry.get();
    await here.clock.advance(4999);
    expect(entry.peek()).toBeDefined();
    await here.clock.advance(1);
    expect(entry.peek()).toBeUndefined();
    await entry.get();
    expect(here.loads).toBe(1);
    pushes.deliveredUpToMs = here.clock.monotonic();
    await here.clock.advance(2990);
    expect(entry.peek()).toBeDefined();
    await here.clock.advance(10);
    expect(entry.peek()).toBeUndefined();
    // Of a load that takes 3 s, 2 s of the copy's age are left.
    const slow = async (): Promise<Row> => (await sleep(here.clock, 3000), { id: "b", version: 1 });
    const read = here.rows.get("b", { load: slow });
    await here.clock.advance(3000);
    await read;
    await here.clock.advance(1999);
    expect(here.rows.peek("b")).toBeDefined();
    await here.clock.advance(1);
    expect(here.rows.peek("b")).toBeUndefined();
  });

  it("are not read for longer than maxLag without news, and are again when there is some", async () => {
    const { store, pushes } = announced();
    const here = shop({ cache: { store, l1: { maxAge: "1h", maxLag: "2s" } }, scope: { ttl: "1h" } });
    await here.cache.ready();
    const entry = here.rows.entry("a");
    await entry.get();
    await here.clock.advance(1999);
    expect(entry.peek()).toBeDefined();
    await here.clock.advance(1);
    expect(entry.peek()).toBeUndefined();
    pushes.deliveredUpToMs = here.clock.monotonic();
    expect(entry.peek()).toBeDefined();
  });

  it("are forgotten in doubt, and none are made until it is over", async () => {
    const { store, pushes, doubt } = announced();
    const here = shop({ cache: { store, l1: { maxAge: "1h", maxLag: "1h" } } });
    await here.cache.ready();
    const entry = here.rows.entry("a");
    await entry.get();
    pushes.live = false;
    doubt();
    expect(entry.peek()).toBeUndefined();
    await entry.get();
    expect(entry.peek()).toBeUndefined();
    pushes.live = true;
    expect(entry.peek()).toBeUndefined();
    await entry.get();
    expect(entry.peek()).toBeDefined();
  });

  it("are not made of what was announced while it was read", async () => {
    const { store, push } = announced();
    const here = shop({ cache: { store, l1: {} } });
    await here.cache.ready();
    const entry = here.rows.entry("a");
    await entry.get({ load: () => (push(entry.key), { id: "a", version: 1 }) });
    expect(entry.peek()).toBeUndefined();
  });

  it("end with an invalidation by this process before it resolves", async () => {
    const { store } = announced();
    const here = shop({ cache: { store, l1: {} } });
    await here.cache.ready();
    const entry = here.rows.entry("a");
    await entry.get();
    const invalidated = here.cache.invalidate([entry]);
    expect(entry.peek()).toBeUndefined();
    await invalidated;
    expect(entry.peek()).toBeUndefined();
  });

  it("live by their age where nothing is announced", async () => {
    const inner = memoryStore();
    const store = new Proxy(inner, {
      get: (target, name) => {
        const member: unknown = name === "listen" ? undefined : Reflect.get(target, name);
        return typeof member === "function" ? member.bind(target) : member;
      },
    });
    const here = shop({ cache: { store, l1: { maxAge: "5s" } } });
    await here.cache.ready();
    await here.rows.get("a");
    await here.clock.advance(4999);
    expect(here.rows.peek("a")).toBeDefined();
    await here.clock.advance(1);
    expect(here.rows.peek("a")).toBeUndefined();
  });
});
