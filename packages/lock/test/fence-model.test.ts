import { describe, expect, it } from "vitest";

import { isFenced, runs, type Flaw } from "./fence-model.ts";

describe("the model of a fence", () => {
  it("keeps an earlier holder's writes before a later one's, in every order of their steps", () => {
    const all = [...runs()];
    expect(all).toHaveLength(10);
    expect(all.filter(({ committed }) => !isFenced(committed))).toEqual([]);
    // Not because nobody ever writes, and not because they take turns.
    expect(all.some(({ committed }) => committed.length === 2)).toBe(true);
    expect(all.some(({ moves }) => moves.some(({ outcome }) => outcome === "refused"))).toBe(true);
  });

  it.each<Flaw>(["guard-without-a-lock", "guard-outside-of-the-transaction", "token-from-a-server-that-forgets"])(
    "finds the order that breaks a %s",
    (flaw) => {
      expect([...runs(flaw)].some(({ committed }) => !isFenced(committed))).toBe(true);
    },
  );
});
