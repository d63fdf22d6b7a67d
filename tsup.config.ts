import { readFileSync } from "node:fs";

import { defineConfig } from "tsup";

type Target = string | Record<string, string>;
interface Manifest {
  readonly exports: Record<string, Target>;
  readonly imports?: Record<string, Record<string, Record<string, string>>>;
}

// An entry point is whatever the package's manifest gives a source for. Declarations come from tsc.
const manifest = JSON.parse(readFileSync("package.json", "utf8")) as Manifest;
const internal = Object.values(manifest.imports ?? {}).flatMap((conditions) => Object.values(conditions));
const sources = [...Object.values(manifest.exports), ...internal].flatMap((target) =>
  typeof target === "object" && target["sluice-source"] ? [target["sluice-source"]] : [],
);

export default defineConfig({
  entry: sources,
  format: "esm",
  platform: "node",
  target: "node22.12",
  sourcemap: true,
  clean: true,
  dts: false,
  silent: true,
  external: [/^#/],
});
