import {
  createSingleFlight,
  eventChannel,
  hasCode,
  parseDuration,
  SluiceError,
  traceChannel,
  type Duration,
  type ErrorCode,
} from "@sluice/core";
import { describe, expectTypeOf, it } from "vitest";

describe("types of core", () => {
  it("take durations with a known unit", () => {
    expectTypeOf<"60s">().toExtend<Duration>();
    expectTypeOf<250>().toExtend<Duration>();
    expectTypeOf<"300d">().toExtend<Duration>();
    expectTypeOf<"60">().not.toExtend<Duration>();
    expectTypeOf<"soon">().not.toExtend<Duration>();
    expectTypeOf<"1w">().not.toExtend<Duration>();
    expectTypeOf(parseDuration(String(process.env["TTL"]))).toEqualTypeOf<number>();
  });

  it("narrow an error to the code that was asked for", () => {
    const error: unknown = new Error("x");
    if (hasCode(error, "ERR_SLUICE_LOCK_LOST")) {
      expectTypeOf(error.code).toEqualTypeOf<"ERR_SLUICE_LOCK_LOST">();
      expectTypeOf(error.message).toEqualTypeOf<string>();
    }
    expectTypeOf<"ERR_OTHER">().not.toExtend<ErrorCode>();
    // @ts-expect-error A subclass must fix its code.
    class Codeless extends SluiceError {}
    expectTypeOf<Codeless>().toExtend<Error>();
  });

  it("carry events through a channel", () => {
    const events = eventChannel<{ readonly type: "taken"; readonly key: string }>("sluice:example");
    expectTypeOf<Parameters<typeof events.publish>>().toEqualTypeOf<
      [event: { readonly type: "taken"; readonly key: string }]
    >();
    events.subscribe((event) => expectTypeOf(event.key).toEqualTypeOf<string>());
    // @ts-expect-error An event has all its members.
    events.publish({ type: "taken" });
    // @ts-expect-error A channel is named after Sluice.
    eventChannel("other:example");
  });

  it("carry results through a trace", () => {
    const loads = traceChannel<{ readonly key: string }>("sluice:example:load");
    expectTypeOf(loads.trace({ key: "a" }, async () => 7)).toEqualTypeOf<Promise<number>>();
    loads.subscribe({ asyncEnd: (message) => expectTypeOf(message.key).toEqualTypeOf<string>() });
    loads.subscribe({ error: (message) => expectTypeOf(message.error).toEqualTypeOf<unknown>() });
    // @ts-expect-error The context has all its members.
    void loads.trace({}, async () => 7);
    // @ts-expect-error A trace is named after its operation.
    traceChannel("sluice:example");
  });

  it("keep the value of a flight", () => {
    const flights = createSingleFlight<{ id: number }>();
    expectTypeOf<ReturnType<typeof flights.run>>().toEqualTypeOf<Promise<{ id: number }>>();
    // @ts-expect-error A key is a string.
    void flights.run(1, async () => ({ id: 1 }));
  });
});
