import { describe, expect, it } from "vitest";

import { gathered } from "../src/infra/gathered.ts";

/** Somebody who answers when the test says so. */
function answering() {
  const questions: { readonly asked: readonly number[]; readonly answer: (error?: Error) => void }[] = [];
  const ask = gathered<number, string>(
    (asked) =>
      new Promise((resolve, reject) => {
        const answer = (error?: Error): void => (error ? reject(error) : resolve(asked.map((each) => `#${each}`)));
        questions.push({ asked, answer });
      }),
  );
  return { ask, questions, asked: () => questions.map(({ asked }) => asked) };
}

describe("a gathered question", () => {
  it("is asked at once when nobody else asks", async () => {
    const { ask, questions, asked } = answering();
    const answer = ask(1);
    expect(asked()).toEqual([[1]]);
    questions[0]?.answer();
    expect(await answer).toBe("#1");
  });

  it("is asked together with those that came meanwhile, after them and never before", async () => {
    const { ask, questions, asked } = answering();
    const answers = Promise.all([1, 2, 3, 4].map((each) => ask(each)));
    expect(asked()).toEqual([[1], [2]]);
    questions[1]?.answer();
    await expect.poll(asked).toEqual([[1], [2], [3, 4]]);
    questions[2]?.answer();
    questions[0]?.answer();
    expect(await answers).toEqual(["#1", "#2", "#3", "#4"]);
  });

  it("shares its error with those of its question, and with nobody after them", async () => {
    const { ask, questions, asked } = answering();
    const all = Promise.allSettled([1, 2, 3, 4].map((each) => ask(each)));
    questions[0]?.answer(new Error("away"));
    await expect.poll(asked).toEqual([[1], [2], [3, 4]]);
    questions[2]?.answer(new Error("away"));
    questions[1]?.answer();
    expect((await all).map(({ status }) => status)).toEqual(["rejected", "fulfilled", "rejected", "rejected"]);
    const next = ask(5);
    questions[3]?.answer();
    expect(await next).toBe("#5");
  });

  it("is one of five hundred at most", async () => {
    const { ask, questions, asked } = answering();
    const answers = Promise.all(Array.from({ length: 702 }, (_, index) => ask(index)));
    for (const place of [0, 1, 2, 3]) {
      await expect.poll(() => questions.length).toBeGreaterThan(place);
      questions[place]?.answer();
    }
    expect(asked().map(({ length }) => length)).toEqual([1, 1, 500, 200]);
    expect(new Set(await answers).size).toBe(702);
  });

  it("that is answered for too few is an error of all", async () => {
    const ask = gathered<number, string>(() => Promise.resolve([]));
    await expect(ask(1)).rejects.toThrow("Not everybody got an answer");
  });
});
