// `npm run bench -- <name> [--quick]` runs benchmarks/<name>.ts, whose last line is one JSON object with the ratios.
// Without a name: which there are.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("../benchmarks/", import.meta.url));
const names = readdirSync(folder)
  .filter((file) => file.endsWith(".ts"))
  .map((file) => path.basename(file, ".ts"));
const [name = "", ...options] = process.argv.slice(2);

if (names.includes(name)) {
  const file = path.join(folder, `${name}.ts`);
  const { status } = spawnSync(process.execPath, [...process.execArgv, file, ...options], { stdio: "inherit" });
  process.exitCode = status ?? 1;
} else {
  console.error(`Which benchmark? There are: ${names.join(", ")}.`);
  process.exitCode = 1;
}
