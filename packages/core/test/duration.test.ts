import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { describeValue, InvalidArgumentError, parseDuration } from "../src/index.ts";
import { seeded } from "./seed.ts";
import { thrownBy } from "./thrown.ts";

/** The milliseconds of a text, and whether it was refused. */
function parsed(text: string): [ms: number | undefined, refused: boolean] {
  try {
    return [parseDuration(text), false];
  } catch (error) {
    return [undefined, error instanceof InvalidArgumentError];
  }
}

describe("a duration", () => {
  it.each([
    ["0ms", 0],
    ["250ms", 250],
    ["60s", 60_000],
    ["5m", 300_000],
    ["24h", 86_400_000],
    ["300d", 25_920_000_000],
    ["9007199254740991ms", Number.MAX_SAFE_INTEGER],
    ["007s", 7000],
    [0, 0],
    [1500, 1500],
  ])("of %j is %d ms", (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each([
    "",
    "5",
    "1e3",
    "-1s",
    " 1s",
    "1s ",
    "1s\n",
    "1.5s",
    "+1s",
    "1 s",
    "1S",
    "s",
    "1w",
    "1m30s",
    "0x1s",
    "١s",
    "NaNms",
    "Infinityms",
    "9007199254740993ms",
    "9007199254741s",
    "99999999999d",
    "99999999999999999999ms",
    Number.NaN,
    Infinity,
    -1,
    1.5,
    2 ** 53,
    null,
    undefined,
    ["1s"],
    {},
  ])("refuses %j", (value) => {
    expect(thrownBy(() => parseDuration(value as string))).toMatchObject({
      code: "ERR_SLUICE_INVALID_ARGUMENT",
      argument: "duration",
      message: expect.stringContaining(describeValue(value)) as string,
    });
  });

  it("counts every unit exactly or not at all", () => {
    const unitsMs = { ms: 1n, s: 1000n, m: 60_000n, h: 3_600_000n, d: 86_400_000n };
    const anyUnit = fc.constantFrom("ms", "s", "m", "h", "d");
    fc.assert(
      fc.property(fc.bigInt(0n, 10n ** 17n), anyUnit, (count, unit) => {
        const exact = count * unitsMs[unit];
        const fits = exact <= Number.MAX_SAFE_INTEGER && count < 10n ** 16n;
        const [ms, refused] = parsed(`${count}${unit}`);
        expect([ms, refused]).toEqual(fits ? [Number(exact), false] : [undefined, true]);
      }),
      seeded(1000),
    );
  });

  it("has no negative zero", () => {
    expect(Object.is(parseDuration(-0), 0)).toBe(true);
  });

  it("keeps to the range it is given", () => {
    const range = { minMs: 10, maxMs: 1000, argument: "ttl" };
    expect([parseDuration("10ms", range), parseDuration("1s", range)]).toEqual([10, 1000]);
    const error = thrownBy(() => parseDuration("9ms", range));
    expect(error).toMatchObject({ argument: "ttl", message: 'ttl must be from 10 to 1000 ms, got "9ms"' });
    expect(thrownBy(() => parseDuration(1001, range))).toMatchObject({ argument: "ttl" });
  });
});
