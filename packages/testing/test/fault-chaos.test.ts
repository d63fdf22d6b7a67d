import { seededRandom } from "@sluice/core";
import { createFakeClock } from "@sluice/testing";
import { chaosRedis, chaosSql, isInjected, type ChaosOptions, type ChaosPlan } from "@sluice/testing/faults";
import { describe, expect, it } from "vitest";

/** A counter behind the Redis port, with a getter and a method beside it. */
class Counter {
  #total = 0;
  readonly listeners: ((message: string) => void)[] = [];
  fails = false;

  get total(): number {
    return this.#total;
  }

  describe(): string {
    return `counted ${this.#total}`;
  }

  async run({ name }: { name: string }, by: number): Promise<number> {
    if (this.fails) throw new Error(`${name} failed`);
    this.#total += by;
    return this.#total;
  }

  async read(command: string): Promise<string> {
    return `${command} ${this.#total}`;
  }

  async subscribe(
    channel: string,
    onMessage: (message: string) => void,
    onDoubt: (doubt: string) => void,
  ): Promise<string> {
    this.listeners.push(onMessage);
    onDoubt("none yet");
    return channel;
  }
}

const add = { name: "add" };

function counting(options: ChaosOptions) {
  const counter = new Counter();
  return { counter, faulty: chaosRedis(counter, options) };
}

async function codeOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => "answered",
    (error: unknown) => String((error as { code?: unknown }).code),
  );
}

async function chosen(faults: ChaosOptions["faults"]) {
  const { faulty } = counting({ plan: { refuse: 0.5 }, random: seededRandom(4), ...(faults && { faults }) });
  for (let call = 0; call < 50; call += 1) await codeOf(faulty.run(add, 1));
  return faulty.chaos.history.map(({ fault }) => fault);
}

describe("a scripted fault", () => {
  it("refuses without doing the work", async () => {
    const { counter, faulty } = counting({ faults: ["refuse"] });
    await expect(faulty.run(add, 1)).rejects.toMatchObject({ code: "ERR_SLUICE_REDIS_UNAVAILABLE", applied: "no" });
    expect(counter.total).toBe(0);
    expect(faulty.chaos.history).toEqual([
      { call: 0, operation: "run", subject: "add", fault: "refuse", executions: 0, failures: 0, outcome: "refused" },
    ]);
  });

  it("loses the reply after doing the work", async () => {
    const { counter, faulty } = counting({ faults: ["loseReply"] });
    await expect(faulty.run(add, 1)).rejects.toMatchObject({ code: "ERR_SLUICE_REDIS_UNKNOWN", applied: "unknown" });
    expect(counter.total).toBe(1);
    expect(faulty.chaos.history).toMatchObject([{ executions: 1, outcome: "lost" }]);
  });

  it("loses the reply to failing work, too", async () => {
    const { counter, faulty } = counting({ faults: ["loseReply"] });
    counter.fails = true;
    expect(await codeOf(faulty.run(add, 1))).toBe("ERR_SLUICE_REDIS_UNKNOWN");
    expect(faulty.chaos.history).toMatchObject([{ executions: 0, failures: 1, outcome: "lost" }]);
  });

  it("calls a read without an answer unavailable, not unknown", async () => {
    const { faulty } = counting({ faults: ["loseReply"] });
    expect(await codeOf(faulty.read("GET"))).toBe("ERR_SLUICE_REDIS_UNAVAILABLE");
  });

  it("does duplicated work twice and answers the second time", async () => {
    const { counter, faulty } = counting({ faults: ["duplicate"] });
    await expect(faulty.run(add, 1)).resolves.toBe(2);
    expect(counter.total).toBe(2);
    expect(faulty.chaos.history).toMatchObject([{ executions: 2, outcome: "answered" }]);
  });

  it("slows work down by exactly its time", async () => {
    const clock = createFakeClock();
    const { counter, faulty } = counting({ faults: ["slow"], slowMs: 80, clock });
    const slow = faulty.run(add, 1);
    await clock.advance(79);
    expect(counter.total).toBe(0);
    await clock.advance(1);
    await expect(slow).resolves.toBe(1);
  });

  it("draws the delay of slow work from its range", async () => {
    const clock = createFakeClock();
    const { faulty } = counting({ faults: ["slow"], slowMs: [40, 60], clock, random: seededRandom(3) });
    const slow = faulty.run(add, 1).then(() => clock.monotonic());
    await clock.advance(100);
    expect(await slow).toBeGreaterThanOrEqual(40);
    expect(await slow).toBeLessThan(60);
  });

  it("hangs until it is released, and then does the work", async () => {
    const clock = createFakeClock();
    const { counter, faulty } = counting({ faults: ["hang"], clock });
    const hung = faulty.run(add, 1);
    await clock.advance(9999);
    expect([counter.total, faulty.chaos.hanging]).toEqual([0, 1]);
    expect(faulty.chaos.release()).toBe(1);
    await expect(hung).resolves.toBe(1);
    expect([clock.pendingTimers, faulty.chaos.hanging]).toEqual([0, 0]);
  });

  it("gives up hanging at its bound with nothing done", async () => {
    const clock = createFakeClock();
    const { counter, faulty } = counting({ faults: ["hang"], hangMs: 500, clock });
    const hung = codeOf(faulty.run(add, 1));
    await clock.advance(500);
    expect(await hung).toBe("ERR_SLUICE_REDIS_UNKNOWN");
    expect([counter.total, faulty.chaos.hanging]).toEqual([0, 0]);
  });

  it("ends waiting with the reason of an aborted signal", async () => {
    const clock = createFakeClock();
    const stop = new AbortController();
    const { counter, faulty } = counting({ faults: ["hang", "slow"], clock, signal: stop.signal });
    const calls = [faulty.run(add, 1), faulty.run(add, 1)];
    stop.abort(new Error("enough"));
    for (const call of calls) await expect(call).rejects.toThrow("enough");
    expect([counter.total, clock.pendingTimers]).toEqual([0, 0]);
    expect(faulty.chaos.history.map(({ outcome }) => outcome)).toEqual(["aborted", "aborted"]);
  });

  it("lets a later call overtake a reordered one", async () => {
    const clock = createFakeClock();
    const { faulty } = counting({ faults: ["none", "reorder", "none"], clock });
    const order: number[] = [];
    await faulty.run(add, 1);
    const reordered = faulty.run(add, 10).then((total) => order.push(total));
    const later = faulty.run(add, 100).then((total) => order.push(total));
    await Promise.all([reordered, later]);
    expect([order, clock.pendingTimers]).toEqual([[101, 111], 0]);
  });

  it("is not overtaken by a call that began before it", async () => {
    const clock = createFakeClock();
    const { counter, faulty } = counting({ faults: ["slow", "reorder", "none"], slowMs: 10, clock });
    const calls = [faulty.run(add, 1), faulty.run(add, 10)];
    await clock.advance(20);
    expect(counter.total).toBe(1);
    calls.push(faulty.run(add, 100));
    await expect(Promise.all(calls)).resolves.toEqual([1, 111, 101]);
  });

  it("waits for a call to overtake only so long", async () => {
    const clock = createFakeClock();
    const { faulty } = counting({ faults: ["reorder"], reorderMs: 30, clock });
    const alone = faulty.run(add, 1);
    await clock.advance(30);
    await expect(alone).resolves.toBe(1);
  });

  it("injects nothing after the faults have healed", async () => {
    const { counter, faulty } = counting({ faults: ["hang", "reorder", "refuse"], plan: { refuse: 1 } });
    const waiting = [faulty.run(add, 1), faulty.run(add, 1)];
    faulty.chaos.heal();
    await Promise.all([...waiting, faulty.run(add, 1), faulty.run(add, 1)]);
    expect(counter.total).toBe(4);
  });
});

describe("a port with chaos", () => {
  it("keeps the other members of the port", async () => {
    const { faulty } = counting({});
    await faulty.run(add, 2);
    expect([faulty.total, faulty.describe(), "listeners" in faulty]).toEqual([2, "counted 2", true]);
  });

  it("wraps a frozen port", async () => {
    const port = Object.freeze({ run: async () => 1, read: async () => 2, subscribe: async () => 3 });
    expect(await codeOf(chaosRedis(port, { faults: ["refuse"] }).run())).toBe("ERR_SLUICE_REDIS_UNAVAILABLE");
  });

  it("marks its errors as injected, and no others", async () => {
    const { counter, faulty } = counting({ faults: ["refuse", "none"] });
    counter.fails = true;
    const errors = await Promise.all([1, 2].map((by) => faulty.run(add, by).catch((error: unknown) => error)));
    expect(errors.map(isInjected)).toEqual([true, false]);
  });

  it("loses and repeats messages, and says when they are in doubt", async () => {
    const heard: string[] = [];
    const { counter, faulty } = counting({ plan: { loseReply: 0.2, duplicate: 0.2 }, random: seededRandom(5) });
    await faulty.subscribe(
      "news",
      (message) => heard.push(message),
      (doubt) => heard.push(doubt),
    );
    for (let message = 0; message < 200; message += 1) counter.listeners[0]?.(String(message));
    const expected = faulty.chaos.history
      .filter(({ operation }) => operation === "message")
      .flatMap(({ call, fault }) => {
        if (fault === "loseReply") return ["connection-lost", "resubscribed"];
        return Array.from({ length: fault === "duplicate" ? 2 : 1 }, () => String(call));
      });
    expect(heard).toEqual(["none yet", ...expected]);
    expect(heard.length).not.toBe(200);
    expect(heard.filter((each) => each === "resubscribed").length).toBeGreaterThan(10);
  });
});

describe("faults by chance", () => {
  const plan: ChaosPlan = { refuse: 0.1, slow: 0.05, hang: 0.05, loseReply: 0.2, duplicate: 0.15, reorder: 0.05 };

  async function play(seed: number, calls: number) {
    const clock = createFakeClock();
    const { counter, faulty } = counting({ plan, random: seededRandom(seed), clock, slowMs: [1, 100], hangMs: 50 });
    const outcomes: Promise<string>[] = [];
    for (let call = 0; call < calls; call += 1) outcomes.push(codeOf(faulty.run(add, 1)));
    while (faulty.chaos.history.some(({ outcome }) => outcome === "pending")) await clock.advance(100);
    return { counter, chaos: faulty.chaos, outcomes: await Promise.all(outcomes) };
  }

  it("are the same for the same seed and the same calls", async () => {
    const [first, second, other] = [await play(11, 300), await play(11, 300), await play(12, 300)];
    expect(second.chaos.history).toEqual(first.chaos.history);
    expect(second.outcomes).toEqual(first.outcomes);
    expect(other.chaos.history).not.toEqual(first.chaos.history);
  });

  it("come as often as planned", async () => {
    const calls = 4000;
    const { chaos } = await play(21, calls);
    for (const [fault, probability] of Object.entries({ ...plan, none: 0.4 })) {
      const spread = Math.sqrt(calls * probability * (1 - probability));
      expect({ fault, far: Math.abs(chaos.counts[fault as "none"] - calls * probability) > 4 * spread }).toEqual({
        fault,
        far: false,
      });
    }
  });

  it("leave a history from which the outcome follows", async () => {
    const { counter, chaos, outcomes } = await play(31, 500);
    expect(counter.total).toBe(chaos.history.reduce((sum, { executions }) => sum + executions, 0));
    const told = { answered: "answered", refused: "ERR_SLUICE_REDIS_UNAVAILABLE", lost: "ERR_SLUICE_REDIS_UNKNOWN" };
    expect(outcomes).toEqual(chaos.history.map(({ outcome }) => told[outcome as keyof typeof told]));
  });

  it("do not shift when the fault of one call is scripted", async () => {
    const [drawn, scripted] = [await chosen(undefined), await chosen(["duplicate", "none"])];
    expect(scripted.slice(0, 2)).toEqual(["duplicate", "none"]);
    expect(scripted.slice(2)).toEqual(drawn.slice(2));
  });

  it("leave a bounded history", async () => {
    const { faulty } = counting({ historyLimit: 3 });
    for (let call = 0; call < 5; call += 1) await faulty.run(add, 1);
    expect(faulty.chaos.history.map(({ call }) => call)).toEqual([2, 3, 4]);
    expect([faulty.chaos.forgotten, faulty.chaos.counts.none]).toEqual([2, 5]);
  });
});

describe("a mistaken plan", () => {
  it.each([
    ["plan.refuse", { plan: { refuse: 1.1 } }],
    ["plan", { plan: { refuse: 0.6, slow: 0.6 } }],
    ["plan", { plan: { explode: 0.1 } as ChaosPlan }],
    ["faults", { faults: ["explode" as "none"] }],
    ["slowMs", { slowMs: [5, 4] }],
    ["hangMs", { hangMs: Infinity }],
    ["historyLimit", { historyLimit: -1 }],
  ] satisfies [string, ChaosOptions][])("is refused by its name: %s", (argument, options) => {
    const refused = expect.objectContaining({ code: "ERR_SLUICE_INVALID_ARGUMENT", argument });
    expect(() => counting(options)).toThrow(refused);
    expect(() => chaosSql({ query: codeOf, script: codeOf, transaction: codeOf } as never, options)).toThrow(refused);
  });
});
