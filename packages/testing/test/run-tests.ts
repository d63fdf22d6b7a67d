import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import path from "node:path";

const program = path.join(path.dirname(createRequire(import.meta.url).resolve("vitest/package.json")), "vitest.mjs");

/** Runs one of the fixtures in a Vitest of its own. */
export function runTests(
  name: string,
  variables: Readonly<Record<string, string>> = {},
): { status: number; text: string } {
  const config = path.join(import.meta.dirname, "fixtures", "vitest.config.ts");
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, "run", "--config", config, name], {
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: "0", SLUICE_LEFT_OUT: "", SLUICE_SEED: "77", ...variables },
  });
  return { status: status ?? -1, text: `${stdout}\n${stderr}` };
}
