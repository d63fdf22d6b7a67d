import { describe, expect, it } from "vitest";

import { memoryStore, type CacheStore, type Snapshot } from "../src/index.ts";
import { heard, shop } from "./support/shop.ts";

/** A store that can forget what it has confirmed, as a replica does that lagged behind and becomes the master. */
function forgetful() {
  const inner = memoryStore();
  const reconnected: (() => void)[] = [];
  let old: Snapshot | undefined;
  const store = new Proxy(inner, {
    get(target, name): unknown {
      if (name === "onReconnect") return (listener: () => void) => (reconnected.push(listener), () => {});
      if (name === "read") return async (wanted: Parameters<CacheStore["read"]>[0]) => old ?? target.read(wanted);
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      return (...args: unknown[]): unknown => {
        // Whatever is written now is written to the new master.
        if (name === "drop" || name === "bump") old = undefined;
        return Reflect.apply(member, target, args);
      };
    },
  });
  return {
    store,
    snapshot: (key: string, generations: readonly string[]) => inner.read({ key, generations }),
    forget: (snapshot: Snapshot) => (old = snapshot),
    reconnect: () => reconnected.map((listener) => listener()),
  };
}

describe("when a failover has lost an invalidation", () => {
  it("whoever made it notices at its next read and repeats it", async () => {
    for (const kind of ["a drop", "a flush"]) {
      const events = heard();
      const { store, snapshot, forget } = forgetful();
      const here = shop({ cache: { store } });
      const entry = here.rows.entry("a");
      await entry.get();
      await here.clock.advance(5);
      const before = await snapshot(entry.key, ["sl:{row}:g"]);
      here.version = 2;
      await here.cache.invalidate([kind === "a drop" ? entry : here.rows.all()]);
      forget(before);
      expect(await entry.get()).toEqual({ id: "a", version: 2 });
      expect(events).toContainEqual({ type: "invalidations-replayed", targets: 1, reason: "lost" });
    }
  });

  it("those of the last seconds are repeated when the store is there again, and older ones are not", async () => {
    const events = heard();
    const { store, reconnect } = forgetful();
    const here = shop({ cache: { store, journal: "30s" } });
    await here.cache.invalidate([here.rows.entry("long ago")]);
    await here.clock.advance(29_000);
    await here.cache.invalidate([here.rows.entry("a"), here.rows.all()]);
    await here.clock.advance(1500);
    reconnect();
    await here.clock.advance(0);
    expect(events).toContainEqual({ type: "invalidations-replayed", targets: 2, reason: "reconnect" });
  });
});
