import { seededRandom } from "@sluice/core";
import { guards, type HttpGuard, type Outcome, type Settlement } from "@sluice/http";
import { guardLaws, testRequest, throughGuard, type GuardSubject } from "@sluice/http/testing";
import { runLaws } from "@sluice/testing/vitest";
import { describe, expect, it } from "vitest";

const needs = { requestBody: false, reply: "body" } as const;

/** A guard that keeps how many requests it has let pass that are not over. */
function createCounter(): GuardSubject {
  let open = 0;
  const guard: HttpGuard = {
    name: "counter",
    stage: "address",
    needs,
    before() {
      let isOver = false;
      open += 1;
      return {
        pass: true,
        headers: { "x-open": String(open) },
        settle: async () => {
          if (!isOver) open -= 1;
          isOver = true;
          return { headers: { etag: '"1"' } };
        },
      };
    },
  };
  return { guard, state: () => open };
}

const idle: HttpGuard = { name: "idle", stage: "address", needs, before: () => ({ pass: true }) };

runLaws("a guard that passes", guardLaws, () => ({ guard: idle }));
runLaws("a guard that counts", guardLaws, createCounter);
runLaws("guards in a row", guardLaws, () => {
  const counter = createCounter();
  return { ...counter, guard: guards([idle, counter.guard, { ...idle, name: "last" }]) };
});

const replying = (outcome: Settlement | undefined | (() => never)): HttpGuard => ({
  ...idle,
  before: () => ({ pass: true, settle: () => (typeof outcome === "function" ? outcome() : outcome) }),
});

function throwBoom(): never {
  throw new Error("boom");
}

let opened = 0;
const broken: [what: string, title: string, guard: Partial<HttpGuard>][] = [
  ["has a name with blanks", "its name is fit for a metric", { name: "My Guard" }],
  [
    "parses a header and throws",
    "it decides about any request without throwing, and what it says can be sent",
    {
      before: (request) => ({ pass: true, headers: { "x-echo": String(JSON.parse(request.header("cookie") ?? "1")) } }),
    },
  ],
  [
    "sends back what a client wrote",
    "it decides about any request without throwing, and what it says can be sent",
    { before: (request) => ({ pass: true, headers: { "x-echo": `<${request.header("cookie") ?? ""}>` } }) },
  ],
  [
    "spells a header in capitals",
    "it decides about any request without throwing, and what it says can be sent",
    { before: () => ({ pass: true, headers: { "Retry-After": "1" } }) },
  ],
  [
    "answers with a status that is none",
    "it decides about any request without throwing, and what it says can be sent",
    { before: () => ({ reply: { status: 0, headers: {} } }) },
  ],
  [
    "answers HEAD with a body",
    "it decides about any request without throwing, and what it says can be sent",
    { before: () => ({ reply: { status: 200, headers: {}, body: "x" } }) },
  ],
  [
    "decides nothing",
    "it decides about any request without throwing, and what it says can be sent",
    { before: () => ({}) as never },
  ],
  [
    "throws when it settles",
    "it lets a request pass, and hears of every end that it can have without throwing",
    replying(throwBoom),
  ],
  [
    "sends a patch that cannot be sent",
    "it lets a request pass, and hears of every end that it can have without throwing",
    replying({ headers: { etag: "a\nb" } }),
  ],
  [
    "changes the head that it is given",
    "it lets a request pass, and hears of every end that it can have without throwing",
    {
      before: () => ({
        pass: true,
        settle: (outcome) => void Object.assign("head" in outcome ? outcome.head : {}, { status: 1 }),
      }),
    },
  ],
  [
    "lets nothing pass",
    "it lets a request pass, and hears of every end that it can have without throwing",
    { before: () => ({ reply: { status: 429, headers: {} } }) },
  ],
  [
    "counts an end twice",
    "an end that it hears of again is one that it has heard of",
    { before: () => ({ pass: true, settle: () => void (opened += 1) }) },
  ],
  [
    "reads the body on the quiet",
    "it reads no body that it does not need",
    { before: (request) => request.body().then(() => ({ pass: true })) },
  ],
  [
    "fails when the client has gone",
    "it decides although the client has gone, or rejects with the reason why",
    { before: ({ signal }) => (signal.aborted ? throwBoom() : { pass: true }) },
  ],
  [
    "leaves a listener behind",
    "it leaves no listener on the signal of a request that is over",
    {
      before: ({ signal }) => {
        signal.addEventListener("abort", () => {});
        return { pass: true };
      },
    },
  ],
  [
    "mistakes one request for another",
    "requests that come at once and end in any order do not disturb each other",
    lastOnly(),
  ],
];

/** Remembers one request, and takes every end for that one's. */
function lastOnly(): Partial<HttpGuard> {
  let last = {};
  return {
    before: () => {
      const own = {};
      last = own;
      const settle = (_outcome: Outcome): undefined => (last === own ? undefined : throwBoom());
      return { pass: true, settle };
    },
  };
}

describe("the laws of guards", () => {
  it.each(broken)("refute a guard that %s", async (_what, title, guard) => {
    const law = guardLaws.find((each) => each.title === title);
    const subject = { guard: { ...idle, ...guard }, state: () => opened };
    await expect(async () => law?.check(subject, { random: seededRandom(1) })).rejects.toThrow(
      /^(?:Expected|The guard threw|request)/,
    );
  });

  it("are each refuted by a guard here", () => {
    expect(guardLaws.map(({ title }) => title).filter((title) => !broken.some((each) => each[1] === title))).toEqual(
      [],
    );
  });
});

describe("throughGuard", () => {
  const page = { status: 200, headers: { "content-type": "text/plain" }, body: "hello" };

  it("gives what the client gets: the handler's reply, patched", async () => {
    const subject = createCounter();
    const reply = await throughGuard(subject.guard, testRequest(), () => page);
    expect(reply).toEqual({
      status: 200,
      headers: { ...page.headers, "x-open": "1", etag: '"1"' },
      body: new TextEncoder().encode("hello"),
    });
    expect(subject.state?.()).toBe(0);
  });

  it("gives the guard's own reply, and an error for what the handler throws", async () => {
    const closed: HttpGuard = { ...idle, before: () => ({ reply: page }) };
    expect(await throughGuard(closed, testRequest(), throwBoom)).toBe(page);
    for (const guard of [idle, createCounter().guard]) {
      expect((await throughGuard(guard, testRequest(), throwBoom)).status).toBe(500);
    }
  });

  it("lets an event stream through", async () => {
    const events = { status: 200, headers: { "content-type": "text/event-stream" }, body: "data: 1\n\n" };
    expect(await throughGuard(replying(undefined), testRequest(), events)).toEqual(events);
  });
});

describe("testRequest", () => {
  it("is whatever the test says", async () => {
    const request = testRequest({ url: "/a?b", headers: { accept: "x" }, body: "hi" });
    expect([request.path, request.header("Accept"), request.header("constructor"), request.method]).toEqual([
      "/a",
      "x",
      undefined,
      "GET",
    ]);
    expect(await request.body()).toEqual(new TextEncoder().encode("hi"));
  });
});
