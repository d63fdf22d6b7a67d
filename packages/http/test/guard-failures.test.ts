import {
  Exchange,
  exchangeSettings,
  HttpError,
  type HttpGuard,
  type HttpReply,
  type Outcome,
  type Verdict,
} from "@sluice/http";
import { describe, expect, it } from "vitest";

import { Client, eventsDuring, passingGuard, settled } from "./support/client.ts";
import { makeRequest } from "./support/request.ts";

const page = { status: 200, headers: { "content-type": "text/html", "content-length": "5" } };
const eventStream = { status: 200, headers: { "content-type": "text/event-stream" } };
const boom = new Error("boom");

function throwBoom(): never {
  throw boom;
}

const throwing = [
  ["throws", throwBoom],
  ["rejects", (): Promise<never> => Promise.reject(boom)],
] as const;

function begin(before: HttpGuard["before"]): ReturnType<Exchange["begin"]> {
  return new Exchange({ ...passingGuard("body"), before }, makeRequest(), exchangeSettings()).begin();
}

function teapot(): HttpReply {
  return { status: 418, headers: {}, body: "teapot" };
}

describe("a guard that fails", () => {
  it.each(throwing)("when it decides is a 500 that says nothing of its cause, where it %s", async (_title, before) => {
    const events = await eventsDuring(async () => {
      const decision = await begin(before);
      expect(decision).toMatchObject({ reply: { status: 500 } });
      expect(JSON.stringify(decision)).not.toContain("boom");
    });
    expect(events).toEqual([{ type: "before-failed", guard: "test-guard", error: boom }]);
  });

  it("may throw the reply that it means", () => {
    const error = new HttpError({ status: 503, code: "RATE_LIMIT_UNAVAILABLE", headers: { "retry-after": "1" } });
    const decision = begin(() => {
      throw error;
    });
    expect(decision).toMatchObject({ reply: { status: 503, headers: { "retry-after": "1" } } });
  });

  it.each([undefined, null, {}, 7])("when it decides %j is a 500", async (verdict) => {
    const decision = await begin(() => verdict as never);
    expect(decision).toMatchObject({ reply: { status: 500 } });
  });

  it.each(throwing)("when it settles turns a held reply into a 500, where it %s", async (_title, settle) => {
    const guard = passingGuard("body", settle, { headers: { ratelimit: "r=1", "content-type": "never/this" } });
    const client = new Client(guard);
    const events = await eventsDuring(async () => {
      client.replies("hello");
      await settled();
    });
    expect([client.head?.status, client.isComplete]).toEqual([500, true]);
    expect(client.head?.headers).toMatchObject({ ratelimit: "r=1", "content-type": "application/json; charset=utf-8" });
    expect(client.text).not.toMatch(/hello|boom/);
    expect(events).toEqual([
      { type: "settle-failed", guard: "test-guard", outcome: "replied", held: true, error: boom },
    ]);
  });

  it.each(throwing)("when it settles leaves a reply alone that is not held, where it %s", async (_title, settle) => {
    const guard = passingGuard("nothing", settle);
    const client = new Client(guard);
    const events = await eventsDuring(async () => {
      client.replies("hello", page);
      await settled();
    });
    expect([client.head, client.text]).toEqual([page, "hello"]);
    expect(events).toMatchObject([{ type: "settle-failed", held: false, error: boom }]);
  });

  it("when it settles spoils no stream that flows", async () => {
    const guard = passingGuard("body", () => Promise.reject(boom));
    const client = new Client(guard);
    await eventsDuring(async () => {
      client.begins(eventStream);
      await settled();
    });
    client.writes("data: 1\n\n");
    expect([client.text, client.exchange.flows]).toEqual(["data: 1\n\n", true]);
  });

  it("by hanging in settle turns a held reply into a 500 at the deadline, once", async () => {
    const late = Promise.withResolvers<undefined>();
    const guard = passingGuard("body", () => late.promise);
    const client = new Client(guard, { settleDeadlineMs: 50 });
    const events = await eventsDuring(async () => {
      client.replies("hello");
      await client.clock.advance(49);
      expect(client.head).toBeUndefined();
      await client.clock.advance(1);
      late.reject(boom);
      await settled();
    });
    expect([client.head?.status, client.releases]).toEqual([500, 1]);
    expect(events).toMatchObject([{ type: "settle-failed", error: { code: "ERR_SLUICE_HTTP_SETTLE_TIMEOUT" } }]);
  });

  it("leaves no timer behind when it settles in time", async () => {
    const client = new Client(passingGuard("body", async () => undefined)).replies("hello");
    expect(client.clock.pendingTimers).toBe(1);
    await settled();
    expect(client.clock.pendingTimers).toBe(0);
  });

  it("by setting a header that cannot be sent costs the client the reply, and nobody else anything", async () => {
    const guard = passingGuard("body", async () => ({ headers: { etag: "line\nbreak" } }));
    const client = new Client(guard, {
      refuse: ({ head }) => (String(head.headers["etag"]).includes("\n") ? boom : undefined),
    });
    const events = await eventsDuring(async () => {
      client.replies("hello");
      await settled();
    });
    expect([client.head?.status, client.isComplete, client.releases]).toEqual([500, true, 2]);
    expect(events).toEqual([{ type: "release-failed", guard: "test-guard", error: boom }]);
  });

  it("gives up when not even the error can be sent", async () => {
    const client = new Client(passingGuard("body"), { refuse: () => boom });
    const events = await eventsDuring(() => void client.replies("hello"));
    expect([client.releases, client.head, events.length]).toEqual([2, undefined, 2]);
  });

  it("is rendered by the application, and by Sluice where the application's renderer throws", () => {
    const statuses = [teapot, throwBoom].map((renderError) => {
      const client = new Client(passingGuard("body", throwBoom), { renderError });
      client.replies("hello");
      return client.head?.status;
    });
    expect(statuses).toEqual([418, 500]);
  });
});

describe("a client that goes away", () => {
  it.each(["nothing", "head", "body"] as const)("while the handler runs is an abort, needing %s", (needs) => {
    const guard = passingGuard(needs);
    const client = new Client(guard);
    client.exchange.gone();
    client.replies("too late");
    client.exchange.gone();
    expect(guard.outcomes).toEqual([{ kind: "aborted" }]);
    expect([client.head, client.exchange.isOpen]).toEqual([undefined, false]);
  });

  it("while its reply is held gets nothing, and the guard has settled once", async () => {
    const guard = passingGuard("body", async () => undefined);
    const client = new Client(guard).replies("hello");
    client.exchange.gone();
    await settled();
    expect(guard.outcomes.map(({ kind }) => kind)).toEqual(["replied"]);
    expect([client.head, client.releases]).toEqual([undefined, 1]);
  });

  it("after a complete reply changes nothing", () => {
    const guard = passingGuard("body");
    const client = new Client(guard).replies("hello");
    client.exchange.gone();
    expect([guard.outcomes.length, client.releases, client.text]).toEqual([1, 1, "hello"]);
  });

  it("is not told of, when the guard has not decided: it decides in vain, and settles as aborted", async () => {
    const late = Promise.withResolvers<Verdict>();
    const outcomes: Outcome[] = [];
    const guard = { ...passingGuard("body"), before: () => late.promise };
    const exchange = new Exchange(guard, makeRequest(), exchangeSettings());
    const decision = exchange.begin();
    exchange.gone();
    expect(await decision).toBeUndefined();
    late.resolve({ pass: true, settle: (outcome) => void outcomes.push(outcome) });
    await settled();
    expect(outcomes).toEqual([{ kind: "aborted" }]);
    expect(exchange.isOpen).toBe(false);
  });

  it("lets a late reply of the guard go nowhere", async () => {
    const late = Promise.withResolvers<Verdict>();
    const exchange = new Exchange(
      { ...passingGuard("body"), before: () => late.promise },
      makeRequest(),
      exchangeSettings(),
    );
    const decision = exchange.begin();
    exchange.gone();
    const events = await eventsDuring(async () => {
      late.reject(boom);
      await settled();
    });
    expect([await decision, events]).toEqual([undefined, []]);
  });
});
