import { Exchange, exchangeSettings, type Outcome, type Settlement } from "@sluice/http";
import { describe, expect, it } from "vitest";

import { Client, passingGuard, settled } from "./support/client.ts";
import { makeRequest } from "./support/request.ts";

const page = { status: 200, headers: { "content-type": "text/html", "content-length": "5" } };
const eventStream = { status: 200, headers: { "content-type": "Text/Event-Stream; charset=utf-8" } };
const failure = { status: 500, headers: { "content-type": "application/json" } };
const boom = new Error("boom");

function bodyOf(outcome: Outcome | undefined): string | undefined {
  return outcome?.kind === "replied" && outcome.body ? new TextDecoder().decode(outcome.body) : undefined;
}

describe("a guard that needs nothing of the reply", () => {
  it("hears of a complete reply, with its head and without its body", () => {
    const guard = passingGuard("nothing");
    new Client(guard).replies("hello", page);
    expect(guard.outcomes).toEqual([{ kind: "replied", head: page }]);
  });

  it("is not waited for", () => {
    const guard = passingGuard("nothing", () => new Promise(() => {}));
    const client = new Client(guard).replies("hello", page);
    expect([client.isComplete, client.clock.pendingTimers]).toEqual([true, 0]);
  });

  it("hears of an event stream when that has ended, and of one that is cut off", () => {
    const whole = passingGuard("nothing");
    const client = new Client(whole).begins(eventStream);
    client.writes("data: 1\n\n");
    expect(whole.outcomes).toEqual([]);
    client.ends();
    expect(whole.outcomes).toMatchObject([{ kind: "streamed", head: eventStream }]);
    const cut = passingGuard("nothing");
    new Client(cut).begins(eventStream).exchange.gone();
    expect(cut.outcomes).toEqual([{ kind: "aborted" }]);
  });

  it("hears of a handler that throws, with the head of the error reply", () => {
    const guard = passingGuard("nothing");
    const client = new Client(guard);
    client.exchange.fail(boom);
    client.replies("{}", failure);
    expect(guard.outcomes).toEqual([{ kind: "failed", error: boom, head: failure }]);
  });

  it("hears of a reply that breaks off because its handler threw", () => {
    const guard = passingGuard("nothing");
    const client = new Client(guard).begins(page);
    client.exchange.fail(boom);
    client.exchange.gone();
    expect(guard.outcomes).toEqual([{ kind: "failed", error: boom, head: page }]);
  });
});

describe("a guard that needs the head", () => {
  it("patches it before it is sent, and is not given the body", async () => {
    const guard = passingGuard("head", async () => ({ headers: { etag: '"1"', "content-length": null } }));
    const client = new Client(guard).replies("hello", page);
    expect(client.head).toBeUndefined();
    await settled();
    expect(client.head).toEqual({ status: 200, headers: { "content-type": "text/html", etag: '"1"' } });
    expect([client.text, client.isComplete]).toEqual(["hello", true]);
    expect(guard.outcomes).toEqual([{ kind: "replied", head: page }]);
  });

  it("hears at the first piece of a reply that comes in pieces, and of its end", async () => {
    const open = Promise.withResolvers<Settlement | undefined>();
    const guard = passingGuard("head", () => open.promise);
    const client = new Client(guard).begins(page);
    expect(client.writes("he")).toBe(false);
    expect(guard.outcomes).toMatchObject([{ kind: "streamed", head: page }]);
    expect(client.writes("ll")).toBe(false);
    open.resolve({ headers: { etag: '"1"' } });
    await settled();
    expect([client.text, client.isComplete, client.head?.headers["etag"]]).toEqual(["hell", false, '"1"']);
    expect(client.writes("o")).toBe(true);
    client.ends();
    const [outcome] = guard.outcomes;
    expect(outcome?.kind === "streamed" && (await outcome.ended)).toEqual({ kind: "replied", head: page });
    expect(client.text).toBe("hello");
  });

  it("hears as soon as the handler flushes the head", async () => {
    const guard = passingGuard("head");
    const client = new Client(guard).begins(page);
    client.exchange.flush();
    expect([client.head, client.isComplete]).toEqual([page, false]);
    expect(guard.outcomes).toMatchObject([{ kind: "streamed" }]);
  });

  it("lets the rest follow in one piece when the handler ends before the guard has settled", async () => {
    const guard = passingGuard("head", async () => undefined);
    const client = new Client(guard).begins(page);
    client.writes("he");
    client.ends("llo");
    await settled();
    expect([client.text, client.isComplete, client.releases]).toEqual(["hello", true, 1]);
  });
});

describe("a guard that needs the body", () => {
  it("is given it whole, before the client gets any of it", async () => {
    const guard = passingGuard("body", async () => ({ headers: { etag: '"1"' } }));
    const client = new Client(guard).begins(page);
    expect(client.writes("he")).toBe(true);
    client.ends("llo");
    expect(client.text).toBe("");
    await settled();
    expect([client.text, client.isComplete, client.head?.headers["etag"]]).toEqual(["hello", true, '"1"']);
    expect(guard.outcomes.map(bodyOf)).toEqual(["hello"]);
  });

  it.each([
    ["HEAD", makeRequest({ method: "HEAD" }), 200],
    ["204", makeRequest(), 204],
    ["304", makeRequest(), 304],
  ])("is given an empty body for %s, whatever the handler writes", (_title, request, status) => {
    const guard = passingGuard("body");
    const head = { status, headers: { "content-length": "9999999" } };
    const client = new Client(guard, { request, maxHeldBytes: 4 }).begins(head);
    client.writes("never ");
    client.ends("sent");
    expect(guard.outcomes).toEqual([{ kind: "replied", head, body: new Uint8Array() }]);
    expect([client.text, client.isComplete]).toEqual(["", true]);
  });

  it("does not hold an event stream", () => {
    const guard = passingGuard("body", () => new Promise(() => {}));
    const client = new Client(guard).begins(eventStream);
    expect([client.head, client.exchange.flows]).toEqual([eventStream, true]);
    expect(guard.outcomes).toMatchObject([{ kind: "streamed", head: eventStream }]);
    expect(client.clock.pendingTimers).toBe(0);
  });

  it("lets a body go that grows above the cap, and never has the whole of it", async () => {
    const guard = passingGuard("body", () => new Promise(() => {}));
    const client = new Client(guard, { maxHeldBytes: 8 }).begins({ status: 200, headers: {} });
    client.writes("12345678");
    expect(client.head).toBeUndefined();
    client.writes("9");
    expect([client.text, client.exchange.flows]).toEqual(["123456789", true]);
    client.ends("0");
    expect(client.text).toBe("1234567890");
    const [outcome] = guard.outcomes;
    expect(outcome).toMatchObject({ kind: "over-cap" });
    expect(outcome?.kind === "over-cap" && (await outcome.ended)).toMatchObject({ kind: "replied" });
  });

  it("lets a body go at once that is announced to be above the cap", () => {
    const guard = passingGuard("body");
    const client = new Client(guard, { maxHeldBytes: 4 }).begins(page);
    expect([client.head, guard.outcomes[0]?.kind]).toEqual([page, "over-cap"]);
  });

  it("lets a body go that is above the cap with its last piece", () => {
    const guard = passingGuard("body");
    const client = new Client(guard, { maxHeldBytes: 4 }).replies("12345", { status: 200, headers: {} });
    expect([client.text, client.isComplete, guard.outcomes[0]?.kind]).toEqual(["12345", true, "over-cap"]);
  });

  it("tells what has become of a stream that the client leaves", async () => {
    const guard = passingGuard("body");
    const client = new Client(guard).begins(eventStream);
    client.exchange.gone();
    const [outcome] = guard.outcomes;
    expect(outcome?.kind === "streamed" && (await outcome.ended)).toEqual({ kind: "aborted" });
  });

  it("tells what has become of a stream whose handler fails", async () => {
    const guard = passingGuard("body");
    const client = new Client(guard).begins(eventStream);
    client.exchange.fail(boom);
    client.exchange.gone();
    const [outcome] = guard.outcomes;
    const ended = { kind: "failed", error: boom, head: eventStream };
    expect(outcome?.kind === "streamed" && (await outcome.ended)).toEqual(ended);
  });

  it("never sends what a handler had written before it threw", () => {
    const guard = passingGuard("body");
    const client = new Client(guard).begins(page);
    client.writes("half a page");
    client.exchange.fail(boom);
    client.replies('{"ok":false}', failure);
    expect([client.text, client.head]).toEqual(['{"ok":false}', failure]);
    expect(guard.outcomes).toEqual([{ kind: "failed", error: boom, head: failure }]);
  });

  it("begins anew when another head comes before anything was sent", () => {
    const guard = passingGuard("body");
    const client = new Client(guard).begins(page);
    client.writes("half a page");
    client.replies("gone", { status: 410, headers: {} });
    expect([client.text, client.head?.status, bodyOf(guard.outcomes[0])]).toEqual(["gone", 410, "gone"]);
  });

  it("keeps bytes as they are", () => {
    const guard = passingGuard("body");
    const bytes = Uint8Array.of(0xff, 0, 0xfe);
    const client = new Client(guard).begins();
    client.exchange.end(bytes);
    expect(guard.outcomes).toMatchObject([{ kind: "replied", body: bytes }]);
  });
});

describe("a guard that answers", () => {
  it("is sent as it is, and hears no more", () => {
    const reply = { status: 429, headers: { "retry-after": "1" }, body: "slow down" };
    const exchange = new Exchange(
      { ...passingGuard("body"), before: () => ({ reply }) },
      makeRequest(),
      exchangeSettings(),
    );
    expect(exchange.begin()).toEqual({ reply });
    expect(exchange.isOpen).toBe(false);
  });

  it("passes without settle, and nothing is held", () => {
    const verdict = { pass: true, headers: { ratelimit: "r=1" } } as const;
    const exchange = new Exchange(
      { ...passingGuard("body"), before: () => verdict },
      makeRequest(),
      exchangeSettings(),
    );
    expect(exchange.begin()).toBe(verdict);
    expect([exchange.isOpen, exchange.flows]).toEqual([false, false]);
  });
});

describe("exchangeSettings", () => {
  it.each([
    ["maxHeldBytes", -1],
    ["maxHeldBytes", 1.5],
    ["maxHeldBytes", Number.NaN],
    ["settleDeadlineMs", 0],
    ["settleDeadlineMs", 600_001],
    ["settleDeadlineMs", Number.NaN],
  ])("refuses %s of %d", (argument, value) => {
    expect(() => exchangeSettings({ [argument]: value })).toThrow(
      expect.objectContaining({ code: "ERR_SLUICE_INVALID_ARGUMENT", argument }),
    );
  });
});
