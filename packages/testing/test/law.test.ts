import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { promisify } from "node:util";

import { hasCode } from "@sluice/core";
import { checkLaw, LawBrokenError, testSeed, type Law } from "@sluice/testing";
import { runLaws } from "@sluice/testing/vitest";
import { afterAll, describe, expect, it } from "vitest";

import { setEnvironment } from "./private-folder.ts";

const run = promisify(execFile);

async function brokenBy(law: Law<object>, create: () => object = () => ({})): Promise<LawBrokenError> {
  const error: unknown = await checkLaw(law, create, { seed: 7 }).catch((thrown: unknown) => thrown);
  if (error instanceof LawBrokenError) return error;
  throw new Error("the law was not broken");
}

describe("a broken law", () => {
  it("names the reason, the title and the seed when a law is broken", async () => {
    const cause = new assert.AssertionError({ message: "3 tokens were spent twice", actual: 3, expected: 0 });
    const error = await brokenBy({
      title: "a token is spent once",
      check: () => {
        throw cause;
      },
    });
    expect(error.message).toBe("3 tokens were spent twice\n\nLaw: a token is spent once\nReplay with SLUICE_SEED=7");
    expect(error).toMatchObject({ cause, actual: 3, expected: 0 });
    expect(error.stack).toContain("law.test.ts");
    expect(hasCode(error, "ERR_SLUICE_LAW_BROKEN")).toBe(true);
  });

  it("keeps the two sides of a failed assertion", async () => {
    const error = await brokenBy({ title: "sums add up", check: () => assert.deepEqual({ sum: 3 }, { sum: 4 }) });
    expect(error).toMatchObject({ actual: { sum: 3 }, expected: { sum: 4 }, operator: "deepStrictEqual" });
    expect(error.message).toContain("Expected values to be strictly deep-equal");
  });

  it("points at the line that failed", async () => {
    const error = await brokenBy({ title: "fails here", check: () => assert.fail("here") });
    expect(error.stack?.split("\n").find((line) => line.includes("    at "))).toContain("law.test.ts");
  });

  it("is reported as well when its subject cannot be made", async () => {
    const error = await brokenBy({ title: "never checked", check: () => undefined }, () => {
      throw new Error("no connection");
    });
    expect(error.message).toBe("no connection\n\nLaw: never checked\nReplay with SLUICE_SEED=7");
  });

  it("shows a thrown value that is no error", async () => {
    const error = await brokenBy({ title: "throws text", check: () => Promise.reject("boom") });
    expect(error.message).toContain('Thrown: "boom"');
  });
});

describe("a law", () => {
  it("draws the same chances for the same seed", async () => {
    const drawn: number[][] = [];
    const law: Law<object> = {
      title: "draws",
      check: (_, { random, seed }) => void drawn.push([seed, random.integer(0, 1e9), random.float()]),
    };
    for (const seed of [42, 42, 43]) await checkLaw(law, () => ({}), { seed });
    expect(drawn[0]).toEqual(drawn[1]);
    expect(drawn[0]?.slice(1)).not.toEqual(drawn[2]?.slice(1));
  });

  it("shares clock and chance with whoever made the subject", async () => {
    const law: Law<{ startedMs: number }> = {
      title: "uses the clock that its subject uses",
      async check(subject, { clock }) {
        await clock.advance(5);
        assert.equal(clock.now() - subject.startedMs, 5);
      },
    };
    await expect(checkLaw(law, ({ clock }) => ({ startedMs: clock.now() }), { nowMs: 0 })).resolves.toBeUndefined();
  });

  it("disposes of its subject, also when it was broken", async () => {
    const disposed: string[] = [];
    const subject = (name: string) => () => ({
      [Symbol.asyncDispose]: async () => void disposed.push(name),
    });
    await checkLaw({ title: "holds", check: () => undefined }, subject("held"));
    await brokenBy({ title: "fails", check: () => assert.fail() }, subject("broke"));
    expect(disposed).toEqual(["held", "broke"]);
  });

  it("is broken by a subject that cannot be disposed of", async () => {
    const error = await brokenBy({ title: "closes cleanly", check: () => undefined }, () => ({
      [Symbol.dispose]: () => {
        throw new Error("2 timers left");
      },
    }));
    expect(error.message).toContain("2 timers left\n\nLaw: closes cleanly");
  });
});

const disposals: string[] = [];
afterAll(() => assert.deepEqual(disposals, ["first", "second"]));

runLaws(
  "a suite of laws",
  ["first", "second"].map((title) => ({
    title: `runs each law on a subject of its own: ${title}`,
    check: (subject: { laws: string[] }) => {
      subject.laws.push(title);
      assert.deepEqual(subject.laws, [title]);
    },
  })),
  () => {
    const laws: string[] = [];
    return { laws, [Symbol.asyncDispose]: async () => void disposals.push(...laws) };
  },
);

describe("the seed of a run", () => {
  it("stays the same and reaches child processes", async () => {
    setEnvironment({ SLUICE_SEED: undefined });
    const seed = testSeed();
    const program = 'import { testSeed } from "@sluice/testing"; console.log(testSeed())';
    const flags = ["--conditions=sluice-source", "--input-type=module", "-e", program];
    const { stdout } = await run(process.execPath, flags, { cwd: import.meta.dirname });
    expect(Number(stdout)).toBe(seed);
    expect(testSeed()).toBe(seed);
  });

  it.each(["1.5", "-1", "", "0x10", "9007199254740992"])("is refused when SLUICE_SEED is %j", (text) => {
    setEnvironment({ SLUICE_SEED: text });
    expect(testSeed).toThrow("SLUICE_SEED must be a whole number");
  });
});
