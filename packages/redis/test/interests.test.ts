import { describe, expect, it } from "vitest";

import { Interests } from "../src/interests.ts";

const listener = { onMessage: () => undefined, onDoubt: () => undefined };

describe("interests in channels", () => {
  it("are found by their channel alone", () => {
    const interests = new Interests();
    const [one, two] = [interests.add("stock", listener), interests.add("stock", listener)];
    interests.add("prices", listener);
    expect([...interests.in("stock")]).toEqual([one, two]);
    expect([...interests.in("nobody's")]).toEqual([]);
    expect([interests.size, [...interests].length]).toEqual([3, 3]);
  });

  it("keep a channel until the last in it has gone", () => {
    const interests = new Interests();
    const [one, two] = [interests.add("stock", listener), interests.add("stock", listener)];
    expect([interests.delete(one), interests.hasAny("stock"), interests.has(two)]).toEqual([true, true, true]);
    expect([interests.delete(one), interests.size]).toEqual([false, 1]);
    expect([interests.delete(two), interests.hasAny("stock"), interests.size]).toEqual([true, false, 0]);
  });

  it("leave nothing behind of a million channels", () => {
    const interests = new Interests();
    for (let channel = 0; channel < 1_000_000; channel += 1)
      interests.delete(interests.add(`wake:${channel}`, listener));
    expect([interests.size, interests.hasAny("wake:999999"), [...interests]]).toEqual([0, false, []]);
  });
});
