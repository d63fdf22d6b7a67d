import { globSync, readFileSync } from "node:fs";
import path from "node:path";

import { describe, expect, it } from "vitest";

import { knownPackages } from "../src/known-packages.ts";

const packagesFolder = path.join(import.meta.dirname, "..", "..");
const sourceOf = (name: string): string =>
  globSync(`${name}/src/**/*.ts`, { cwd: packagesFolder })
    .map((file) => readFileSync(path.join(packagesFolder, file), "utf8"))
    // Doc comments hold example channels.
    .map((source) => source.replaceAll(/^\s*(?:\/\/|\/?\*).*$/gm, ""))
    .join("\n");
const folders = globSync("*/src", { cwd: packagesFolder }).map((folder) => path.dirname(folder));
const channels = folders
  .filter((name) => name !== "otel" && name !== "testing")
  .flatMap((name) =>
    [...sourceOf(name).matchAll(/(?:event|trace)Channel(?:<[^(]*>)?\(\s*"(sluice:[^"]+)"/g)].flatMap(
      (match) => match[1] ?? [],
    ),
  );
const described = new Set(
  knownPackages.flatMap(({ name, operations = {} }) => [
    `sluice:${name}`,
    ...Object.keys(operations).map((operation) => `sluice:${name}:${operation}`),
  ]),
);
const types = knownPackages.flatMap(({ name, events = {} }) =>
  Object.entries(events).map(([type, metrics]) => ({ name, type, metrics })),
);

describe("the table of packages", () => {
  it("holds every channel that a package publishes on", () => {
    expect(channels).toContain("sluice:postgres:transaction");
    expect(channels.filter((channel) => !described.has(channel))).toEqual([]);
  });

  it.each(types)("names an event that is published: $name $type", ({ name, type, metrics }) => {
    const source = sourceOf(name);
    expect(source).toContain(`"${type}"`);
    const fields = metrics.flatMap((metric) => [
      ...Object.values(metric.attributes ?? {}),
      ...("value" in metric && typeof metric.value === "string" ? [metric.value] : []),
      ...("amount" in metric && metric.amount !== undefined ? [metric.amount] : []),
    ]);
    for (const field of fields) expect(source).toMatch(new RegExp(`readonly ${field}\\b`));
  });

  it("is what the README says", () => {
    const readme = readFileSync(path.join(packagesFolder, "otel", "README.md"), "utf8");
    const rows = new Map(
      [...readme.matchAll(/^\| `(sluice\.[^`]+)` +\| (\w+)[^|]*\| ([^|]*)\|$/gm)].map((row) => [row[1], row]),
    );
    for (const { name, instrument, attributes = {}, constants = {} } of types.flatMap(({ metrics }) => metrics)) {
      const [, , kind, cells = ""] = rows.get(name) ?? [];
      const listed = [...cells.matchAll(/`([^`]+)`/g)].map(([, attribute]) => attribute);
      expect([name, kind, listed]).toEqual([name, instrument, [...Object.keys(attributes), ...Object.keys(constants)]]);
    }
    for (const { name, operations = {} } of knownPackages) {
      for (const operation of Object.keys(operations))
        expect(readme).toContain(`\`sluice.${name}.${operation}.duration\``);
    }
  });

  it("names metrics as OpenTelemetry asks", () => {
    const metrics = types.flatMap(({ metrics: ofType }) => ofType);
    for (const { name, description } of metrics) {
      expect(name).toMatch(/^sluice\.[a-z]+(?:[._][a-z]+)+$/);
      expect(description).toMatch(/^[A-Z0-9].*\.$/);
    }
    // One name, one instrument.
    const kinds = new Map(metrics.map(({ name, instrument, unit }) => [name, `${instrument} ${unit}`]));
    for (const { name, instrument, unit } of metrics) expect(kinds.get(name)).toBe(`${instrument} ${unit}`);
  });
});
