import { readFileSync } from "node:fs";

import { expect, it } from "vitest";

import { mutants } from "../mutants/list.ts";

it("shows in the README of the cache each defect that the simulation kills", () => {
  const readme = readFileSync(new URL("../../packages/cache/README.md", import.meta.url), "utf8");
  const killed = mutants
    .filter(({ killedBy }) => killedBy.startsWith("tests/simulation/cache.test.ts"))
    .map(({ name }) => name.replace("cache: ", ""));
  const [, after = ""] = readme.split("| planted defect");
  const [table = ""] = after.split("\n\n", 1);
  const rows = table.split("\n").slice(2);
  const shown = rows.map((row) => row.split("|")[1]?.trim());
  expect(new Set(shown)).toEqual(new Set(killed));
  expect(killed.length).toBeGreaterThanOrEqual(7);
});
