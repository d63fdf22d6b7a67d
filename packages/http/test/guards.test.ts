import { guards, type HttpGuard, type Outcome, type PassVerdict, type Verdict } from "@sluice/http";
import { describe, expect, it } from "vitest";

import { Client, eventsDuring, passingGuard, settled } from "./support/client.ts";
import { makeRequest } from "./support/request.ts";

declare module "@sluice/http" {
  interface GuardContext {
    readonly testColour: string;
    readonly testSize: number;
  }
}

const boom = new Error("boom");
const head = { status: 200, headers: { "content-type": "text/plain" } };

type Guard = HttpGuard & { readonly outcomes: Outcome[] };

function named(name: string, guard: Guard): Guard {
  return { ...guard, name };
}

/** A guard that answers with the verdict, whatever it is. */
function answering(verdict: () => Verdict | Promise<Verdict>): HttpGuard {
  return { ...passingGuard("nothing"), name: "answering", before: verdict };
}

function decide(list: readonly HttpGuard[], request = makeRequest()): Verdict | Promise<Verdict> {
  return guards(list).before(request);
}

async function passOf(list: readonly HttpGuard[]): Promise<PassVerdict> {
  const verdict = await decide(list);
  if ("reply" in verdict) throw new Error("It replied.");
  return verdict;
}

describe("guards", () => {
  it("decide in order and settle in reverse", async () => {
    const order: string[] = [];
    const tracing = (name: string): HttpGuard => ({
      ...passingGuard("head"),
      name,
      before: () => {
        order.push(name);
        return { pass: true, settle: () => void order.push(`${name} settles`) };
      },
    });
    new Client(guards([tracing("a"), tracing("b"), tracing("c")])).replies("hello");
    await settled();
    expect(order).toEqual(["a", "b", "c", "c settles", "b settles", "a settles"]);
  });

  it("need what any of them needs", () => {
    const [nothing, whole] = [passingGuard("nothing"), passingGuard("body")];
    const reading = { ...nothing, needs: { requestBody: true, reply: "head" } } as const;
    expect(guards([nothing, reading]).needs).toEqual({ requestBody: true, reply: "head" });
    expect(guards([whole, reading]).needs).toEqual({ requestBody: true, reply: "body" });
    expect(guards([nothing, nothing]).needs).toEqual({ requestBody: false, reply: "nothing" });
    expect(guards([named("a", whole), guards([named("b", nothing), named("c", nothing)])]).name).toBe("a+b+c");
  });

  it("are one guard when there is one, and refuse to be none", () => {
    const only = passingGuard("head");
    expect(guards([only])).toBe(only);
    expect(() => guards([])).toThrow(expect.objectContaining({ code: "ERR_SLUICE_INVALID_ARGUMENT" }));
  });

  it("refuse to stand in two stages", () => {
    const principal = { ...named("who", passingGuard("nothing")), stage: "principal" } as const;
    expect(() => guards([passingGuard("nothing"), principal])).toThrow(/test-guard is of the stage address, mount who/);
  });

  it("merge headers and context, the later guard's on top", async () => {
    const first = passingGuard("nothing", undefined, {
      headers: { ratelimit: "1", vary: "a" },
      context: { testColour: "red", testSize: 1 },
    });
    const second = passingGuard("nothing", undefined, { headers: { vary: "b" }, context: { testColour: "blue" } });
    expect(await passOf([first, second])).toMatchObject({
      headers: { ratelimit: "1", vary: "b" },
      context: { testColour: "blue", testSize: 1 },
    });
  });

  it("merge the patches of a held reply, the earlier guard's on top", async () => {
    const first = passingGuard("head", async () => ({ headers: { etag: '"1"', age: "1" } }));
    const second = passingGuard("head", () => ({ headers: { etag: '"2"', vary: "b" } }));
    const client = new Client(guards([first, second])).replies("hello");
    await settled();
    expect(client.head?.headers).toMatchObject({ etag: '"1"', age: "1", vary: "b" });
  });

  it("decide at once when all of them do, and need no settle that none of them has", () => {
    const passing = answering(() => ({ pass: true }));
    expect(decide([passing, passing])).toEqual({ pass: true });
  });

  it("ask nobody after one that replies, and tell those before it of that reply", async () => {
    const before = passingGuard("body", () => ({ headers: { age: "1" } }), {
      headers: { ratelimit: "r=1", etag: "no" },
    });
    const after = passingGuard("nothing");
    const reply = { status: 200, headers: { etag: '"7"' }, body: "cached" };
    const verdict = await decide([before, answering(() => ({ reply })), after]);
    const headers = { ratelimit: "r=1", etag: '"7"' };
    expect(verdict).toEqual({ reply: { ...reply, headers: { ...headers, age: "1" } } });
    const body = new TextEncoder().encode("cached");
    expect(before.outcomes).toEqual([{ kind: "replied", head: { status: 200, headers }, body }]);
    expect(after.outcomes).toEqual([]);
  });

  it("answer at once where a reply waits for nobody", () => {
    const reply = { status: 429, headers: {} };
    const first = passingGuard("nothing", () => new Promise(() => {}));
    expect(decide([first, answering(() => ({ reply }))])).toEqual({ reply });
    expect(first.outcomes).toEqual([{ kind: "replied", head: reply, body: new Uint8Array() }]);
  });

  it.each([
    [
      "throws",
      () => {
        throw boom;
      },
    ],
    ["rejects", () => Promise.reject(boom)],
    ["decides nothing", () => ({}) as never],
    ["decides nothing later", async () => ({}) as never],
  ])("tell those before one that %s", async (_title, before) => {
    const first = passingGuard("body");
    await expect(async () => decide([first, answering(before)])).rejects.toThrow(/boom|verdict/);
    expect(first.outcomes).toMatchObject([{ kind: "failed", head: { status: 500 } }]);
  });

  it("tell a guard that needs nothing of a stream when that has ended, and the others at once", async () => {
    const slot = passingGuard("nothing");
    const page = passingGuard("body");
    const stream = { status: 200, headers: { "content-type": "text/event-stream" } };
    const client = new Client(guards([slot, page])).begins(stream);
    await settled();
    expect([slot.outcomes.length, page.outcomes[0]?.kind]).toEqual([0, "streamed"]);
    client.ends("data: 1\n\n");
    await settled();
    expect([slot.outcomes.length, slot.outcomes[0]?.kind, page.outcomes.length]).toEqual([1, "streamed", 1]);
  });

  it("tell a guard that needs nothing how a stream has ended, whatever the needs of the others", async () => {
    const kinds = (["nothing", "head", "body"] as const).map(async (needs) => {
      const slot = passingGuard("nothing");
      const client = new Client(guards([slot, passingGuard(needs)]), { maxHeldBytes: 2 }).begins(head);
      client.writes("hello");
      client.exchange.gone();
      await settled();
      return slot.outcomes.map(({ kind }) => kind);
    });
    expect(await Promise.all(kinds)).toEqual([["aborted"], ["aborted"], ["aborted"]]);
  });

  it("wait for none that needs nothing, and tell all although one hangs", async () => {
    const first = passingGuard("nothing", () => new Promise(() => {}));
    const second = passingGuard("head");
    const third = passingGuard("head", () => new Promise(() => {}));
    const quick = new Client(guards([first, second])).replies("hello");
    const slow = new Client(guards([first, second, third]), { settleDeadlineMs: 5 }).replies("hello");
    await settled();
    expect([quick.isComplete, slow.isComplete]).toEqual([true, false]);
    await eventsDuring(() => slow.clock.advance(5));
    expect(slow.head?.status).toBe(500);
    expect([first.outcomes.length, second.outcomes.length]).toEqual([2, 2]);
  });

  it("turn a held reply into a 500 when one of them fails to settle, and report each that does", async () => {
    const [a, b, c] = ["a", "b", "c"].map((name) =>
      named(
        name,
        passingGuard(name === "b" ? "nothing" : "head", () => Promise.reject(new Error(name))),
      ),
    );
    if (!a || !b || !c) throw new Error("Three guards are needed.");
    const client = new Client(guards([a, b, c]));
    const events = await eventsDuring(async () => {
      client.replies("hello");
      await settled();
    });
    expect(client.head?.status).toBe(500);
    expect(events.map((event) => "guard" in event && [event.guard, event.error])).toEqual([
      ["b", new Error("b")],
      ["a", new Error("a")],
      ["a+b+c", new Error("c")],
    ]);
  });

  it("take the reply back that a guard answers with, when one before it fails to settle", async () => {
    const first = passingGuard("head", () => Promise.reject(boom));
    const reply = { status: 200, headers: {} };
    await expect(decide([first, answering(() => ({ reply }))])).rejects.toBe(boom);
  });
});

describe("guards whose client goes away", () => {
  it("while one decides tell those before it at once, and that one when it has decided", async () => {
    const leaving = new AbortController();
    const late = Promise.withResolvers<Verdict>();
    const first = passingGuard("nothing");
    const second = passingGuard("nothing");
    const third = passingGuard("nothing");
    const request = makeRequest({ signal: leaving.signal });
    const verdict = decide([first, { ...second, before: () => late.promise }, third], request);
    leaving.abort();
    expect(first.outcomes).toEqual([{ kind: "aborted" }]);
    late.resolve(second.before(request));
    expect(await verdict).toEqual({ pass: true });
    expect([first, second, third].map(({ outcomes }) => outcomes.length)).toEqual([1, 1, 0]);
  });

  it("before one decides are told in the same way", async () => {
    const first = passingGuard("nothing");
    const request = makeRequest({ signal: AbortSignal.abort() });
    const slow = answering(async () => ({ pass: true }));
    expect(await decide([first, slow], request)).toEqual({ pass: true });
    expect(first.outcomes).toEqual([{ kind: "aborted" }]);
  });

  it("are told once when one fails because of it", async () => {
    const leaving = new AbortController();
    const first = passingGuard("nothing");
    const request = makeRequest({ signal: leaving.signal });
    const failing = answering(
      () => new Promise((_, reject) => leaving.signal.addEventListener("abort", () => reject(boom))),
    );
    const verdict = decide([first, failing], request);
    leaving.abort();
    await expect(verdict).rejects.toBe(boom);
    expect(first.outcomes).toEqual([{ kind: "aborted" }]);
  });

  it("leave no listener on the request once they have decided", async () => {
    const { signal } = new AbortController();
    let listeners = 0;
    signal.addEventListener = () => void (listeners += 1);
    signal.removeEventListener = () => void (listeners -= 1);
    await decide([passingGuard("nothing"), answering(async () => ({ pass: true }))], makeRequest({ signal }));
    expect(listeners).toBe(0);
  });
});
