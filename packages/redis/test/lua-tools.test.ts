import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterEach, describe, expect, it } from "vitest";

import { driftOf, generateScripts } from "../../../tools/lua/generate.ts";
import { lintFile, lintScript } from "../../../tools/lua/lint.ts";
import { sha1Of } from "../../../tools/lua/script.ts";
import type { Script } from "../src/index.ts";

const made: string[] = [];

afterEach(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true });
});

const good = `--[[
take: spend tokens from a bucket.

KEYS[1]  bucket  hash { tokens, at_ms }
ARGV[1]  cost    tokens wanted, > 0
returns  { allowed 0|1 }
O(1), one slot.
A missing bucket is full.
]]
local cost = tonumber(ARGV[1])
return redis.call('HINCRBY', KEYS[1], 'tokens', -cost)
`;

function packagesWith(files: Readonly<Record<string, string>>): string {
  const packages = mkdtempSync(path.join(tmpdir(), "sluice-lua-"));
  made.push(packages);
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(packages, file)), { recursive: true });
    writeFileSync(path.join(packages, file), text);
  }
  return packages;
}

function lint(source: string): string[] {
  return [...lintFile("take", source), ...lintScript("take", source)];
}

/** What the generator makes of some files. */
function generatedFrom(files: Readonly<Record<string, string>>) {
  const packages = packagesWith(files);
  return { packages, ...generateScripts(packages) };
}

describe("the Lua of this repository", () => {
  const { modules, problems } = generateScripts(path.join(import.meta.dirname, "../.."));

  it("says in its headers what it takes and why", () => {
    expect(modules.length).toBeGreaterThan(0);
    expect(problems).toEqual([]);
  });

  it("is what the generated modules hold", () => {
    expect(driftOf(modules)).toEqual([]);
  });
});

describe("the Lua linter", () => {
  it("accepts a script with a complete header", () => {
    expect(lint(good)).toEqual([]);
  });

  it.each([
    ["a missing header", good.replace(/^--\[\[.*\]\]\n/s, ""), "begins with no header"],
    ["a header of another name", good.replace("take:", "give:"), 'does not begin with "take: "'],
    ["no description of the answer", good.replace("returns", "gives"), 'no line "returns'],
    ["no cost", good.replace("O(1)", "cheap"), 'no line "O('],
    ["no reason", good.replace("A missing bucket is full.\n", ""), "does not say why"],
    [
      "an undocumented key",
      good.replace("KEYS[1], 'tokens'", "KEYS[2], 'tokens'"),
      "KEYS[2] is used and not documented",
    ],
    ["an unused key", good.replace("KEYS[1], 'tokens'", "'x', 'tokens'"), "KEYS[1] is documented and not used"],
    ["an undocumented argument", good.replace("-cost", "ARGV[2]"), "ARGV[2] is used and not documented"],
    ["an unused argument", good.replace("tonumber(ARGV[1])", "1"), "ARGV[1] is documented and not used"],
    ["keys out of turn", good.replace("KEYS[1]  bucket", "KEYS[2]  bucket"), "KEYS[2] is documented out of turn"],
    ["keys used as a whole", good.replace("-cost", "#KEYS"), "KEYS is used as a whole"],
    ["a number of 14 digits", good.replace("-cost", "tostring(cost)"), "tostring() keeps 14 digits"],
    [
      "an argument that is never that number",
      good.replace("tonumber(ARGV[1])", "ARGV[1] == 1"),
      "never equals a number",
    ],
    ["a quotient cut off", good.replace("-cost", "string.format('%d', cost / 2)"), "cuts a quotient off"],
    ["chance", good.replace("-cost", "math.random()"), "math.random repeats itself"],
    ["a file too long to read", good.replace("local cost", `${"-- more\n".repeat(240)}local cost`), "has 251 lines"],
    ["a global", good.replace("local cost", "cost"), "cost is assigned and not local"],
  ])("refuses %s", (_, source, problem) => {
    expect(lint(source).join("\n")).toContain(problem);
  });

  it("accepts a file of as many lines as a file may have", () => {
    expect(lint(good.replace("local cost", `${"-- more\n".repeat(239)}local cost`))).toEqual([]);
  });

  it("reads neither comments nor strings as code", () => {
    const commented = good.replace("local cost", "-- not KEYS[7]\nlocal text = 'ARGV[9] = 1'\nlocal cost");
    expect(lint(commented)).toEqual([]);
  });

  it("lets an open range stand for any number of keys", () => {
    const open = good
      .replace("KEYS[1]  bucket", "KEYS[1..]  buckets")
      .replace("KEYS[1], 'tokens'", "KEYS[#KEYS], 'tokens'");
    expect(lint(open)).toEqual([]);
  });
});

describe("the Lua generator", () => {
  it("writes a module beside the scripts of a primitive", async () => {
    const source = good.replace("'tokens'", "'to`k${e}n\\\\s'");
    const { packages, modules, problems } = generatedFrom({ "rate/src/redis/take.lua": source });
    expect(problems).toEqual([]);
    expect(modules.map(({ file }) => path.relative(packages, file))).toEqual(["rate/src/redis/scripts.generated.ts"]);
    const text = modules[0]?.text ?? "";
    expect(text).toContain('import type { Script } from "@sluice/redis";');
    expect(text).toContain(`sha1: "${sha1Of(source)}"`);
    expect(text).toContain("keys: 1");
    // As a program reads it, the module holds the Lua byte for byte.
    const program = path.join(packages, "scripts.mjs");
    writeFileSync(program, text.replace(/^import type.*$/m, "").replace(": Script =", " ="));
    const { takeScript } = (await import(program)) as { readonly takeScript: Script };
    expect(takeScript.source).toBe(source);
  });

  it("notices a module that is missing or out of date", () => {
    const { modules } = generatedFrom({ "rate/src/take.lua": good });
    const [{ file, text } = { file: "", text: "" }] = modules;
    expect(driftOf(modules)).toEqual([file]);
    writeFileSync(file, text);
    expect(driftOf(modules)).toEqual([]);
    writeFileSync(file, readFileSync(file, "utf8").replace("HINCRBY", "HINCRBYX"));
    expect(driftOf(modules)).toEqual([file]);
  });
});
