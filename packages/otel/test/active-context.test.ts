import { context, ROOT_CONTEXT, trace, type Context } from "@opentelemetry/api";
import { afterEach, describe, expect, it } from "vitest";

import { ActiveContext } from "../src/active-context.ts";
import { AttachingContextManager, StorageContextManager, WrappingContextManager } from "./support/context-managers.ts";

class BrokenContextManager extends AttachingContextManager {
  override with(): never {
    throw new Error("cannot enter");
  }
  override attach(): never {
    throw new Error("cannot attach");
  }
}

/** Runs the work, and then fails. */
class LateContextManager extends AttachingContextManager {
  override attach(within: Context): { dispose(): void } {
    const token = super.attach(within);
    return {
      dispose() {
        token.dispose();
        throw new Error("cannot leave");
      },
    };
  }
}

const within = trace.setSpan(
  ROOT_CONTEXT,
  trace.wrapSpanContext({ traceId: "1".repeat(32), spanId: "2".repeat(16), traceFlags: 1 }),
);
const active = (): unknown => trace.getSpan(context.active());
const entered = trace.getSpan(within);
const managers = { AttachingContextManager, StorageContextManager, WrappingContextManager, LateContextManager };

// Node enters a store by run up to release 25, and by withScope from then on.
const ways = {
  run: (store: ActiveContext, value: { within?: Context }, work: () => unknown) => store.run(value, work),
  withScope(store: ActiveContext, value: { within?: Context }, work: () => unknown) {
    const scope = store.withScope(value);
    try {
      return work();
    } finally {
      scope[Symbol.dispose]();
    }
  },
};

afterEach(() => context.disable());

describe.each(Object.entries(ways))("the context of a span, entered by %s", (_way, enter) => {
  it.each(Object.entries(managers))("holds inside the work alone, with a %s", (_name, Manager) => {
    context.setGlobalContextManager(new Manager());
    expect(enter(new ActiveContext(), { within }, active)).toBe(entered);
    expect(active()).toBeUndefined();
  });

  it("leaves everything it attached", () => {
    const manager = new WrappingContextManager();
    context.setGlobalContextManager(manager);
    enter(new ActiveContext(), { within }, () => {});
    expect(manager.attached).toBe(0);
  });

  it("lets the work run once when the context manager fails", () => {
    context.setGlobalContextManager(new BrokenContextManager());
    let calls = 0;
    expect(enter(new ActiveContext(), { within }, () => (calls += 1))).toBe(1);
  });

  it("passes on what the work throws", () => {
    context.setGlobalContextManager(new AttachingContextManager());
    const failure = new Error("no");
    const work = (): never => {
      throw failure;
    };
    expect(() => enter(new ActiveContext(), { within }, work)).toThrow(failure);
    expect(active()).toBeUndefined();
  });

  it("changes nothing without a span", () => {
    context.setGlobalContextManager(new AttachingContextManager());
    expect(enter(new ActiveContext(), {}, active)).toBeUndefined();
  });
});
