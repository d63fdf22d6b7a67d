import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterEach, describe, expect, it } from "vitest";

import { generateScripts } from "../../../tools/lua/generate.ts";

const made: string[] = [];

afterEach(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true });
});

const script = `--[[
take: spend tokens from a bucket.

KEYS[1]  bucket  hash { tokens, at_ms }
returns  what is left
O(1), one slot.
A missing bucket is full.
]]
--@include take/bucket.lua
return left_of(KEYS[1])
`;

const bucket = `--@part bucket: what is left
--@include clock.lua

local function left_of(key)
  return redis.call('HGET', key, 'tokens') - now()
end
`;

const clock = `--@part clock: what time it is
local function now() return redis.call('TIME')[1] end
`;

const good = { "take.lua": script, "take/bucket.lua": bucket, "take/clock.lua": clock };

/** What the generator makes of files that lie beside each other in a package. */
function generatedFrom(files: Readonly<Record<string, string>>, instead: Readonly<Record<string, string>> = {}) {
  const packages = mkdtempSync(path.join(tmpdir(), "sluice-lua-parts-"));
  made.push(packages);
  const home = path.join(packages, "rate/src");
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(home, file)), { recursive: true });
    writeFileSync(path.join(home, file), text);
  }
  return generateScripts(packages, (file) => instead[path.relative(home, file)]);
}

function problemsOf(change: Readonly<Record<string, string>>): string[] {
  return generatedFrom({ ...good, ...change }).problems;
}

describe("the parts of a script", () => {
  it("stand where they are included, in one script, and parts of theirs in them", () => {
    const { modules, problems } = generatedFrom(good);
    expect(problems).toEqual([]);
    expect(modules.map(({ file }) => path.basename(path.dirname(file)))).toEqual(["src"]);
    const text = modules[0]?.text ?? "";
    expect(text.match(/export const \w+/g)).toEqual(["export const takeScript"]);
    const lines = text.split("\n").filter((line) => /^(--@|local |return )/.test(line));
    expect(lines).toEqual([
      "--@part bucket: what is left",
      "--@part clock: what time it is",
      "local function now() return redis.call('TIME')[1] end",
      "local function left_of(key)",
      "return left_of(KEYS[1])",
    ]);
  });

  it("may be other texts than those on disk, which is how defects are planted in them", () => {
    const planted = clock.replace("[1]", "[2]");
    const { modules } = generatedFrom(good, { "take/clock.lua": planted });
    expect(modules[0]?.text).toContain("redis.call('TIME')[2]");
  });

  it("count for what the header says of keys, and for which names are local", () => {
    const using = bucket.replace("key, 'tokens'", "KEYS[2], 'tokens'");
    expect(problemsOf({ "take/bucket.lua": using })).toEqual(["rate/src/take.lua: KEYS[2] is used and not documented"]);
    const assigning = script.replace("return left", "left = 1\nreturn left");
    const declaring = bucket.replace("local function left_of", "local left\nlocal function left_of");
    expect(problemsOf({ "take.lua": assigning })).toEqual(["rate/src/take.lua: left is assigned and not local"]);
    expect(problemsOf({ "take.lua": assigning, "take/bucket.lua": declaring })).toEqual([]);
  });
});

describe("the Lua generator refuses", () => {
  it.each([
    [
      "a part that is not there",
      { "take.lua": script.replace("bucket.lua", "buckets.lua"), "take/bucket.lua": "", "take/clock.lua": "" },
      'rate/src/take.lua: "--@include take/buckets.lua" names no file',
    ],
    [
      "parts in a circle",
      { "take/clock.lua": `${clock}--@include bucket.lua\n` },
      'rate/src/take/clock.lua: "--@include bucket.lua" includes itself: bucket.lua > clock.lua > bucket.lua',
    ],
    [
      "a script as a part",
      { "take/clock.lua": script.replaceAll("take", "clock").replace("--@include clock/bucket.lua\n", "") },
      'rate/src/take/bucket.lua: "--@include clock.lua" names a script of its own: a part begins with "--@part name: "',
    ],
    [
      "a part put in twice",
      { "take.lua": script.replace("return left", "--@include take/clock.lua\nreturn left") },
      'rate/src/take.lua: "--@include take/clock.lua" puts in again what is there already',
    ],
    [
      "a part that nothing includes",
      { "take/idle.lua": "--@part idle: nothing\n" },
      "rate/src/take/idle.lua: is a part, and nothing includes it",
    ],
    [
      "an include among code",
      { "take.lua": script.replace("return left", "  --@include take/clock.lua\nreturn left") },
      'rate/src/take.lua: "--@include take/clock.lua" is not alone on its line with one path',
    ],
    [
      "a part of another name",
      { "take/clock.lua": clock.replace("clock:", "time:") },
      'rate/src/take/clock.lua: does not begin with "--@part clock: " and what it is about',
    ],
    [
      "a part that says nothing of itself",
      { "take/clock.lua": clock.replace(": what time it is", ":") },
      'rate/src/take/clock.lua: does not begin with "--@part clock: " and what it is about',
    ],
    [
      "a trap in a part, by the file it is in",
      { "take/clock.lua": clock.replace("redis.call('TIME')[1]", "os.time()") },
      "rate/src/take/clock.lua: Redis has no os.time nor io: use redis.call('TIME') or an argument",
    ],
  ])("%s", (_, change, problem) => {
    expect(problemsOf(change)).toContain(problem);
  });
});
