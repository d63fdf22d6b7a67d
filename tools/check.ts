// Everything that can be said about the sources without a server, in under a minute: `npm run check`.
import { spawn } from "node:child_process";

const steps: Readonly<Record<string, readonly string[]>> = {
  format: ["oxfmt", "--check", "."],
  lint: ["oxlint", "--max-warnings", "0"],
  types: ["tsc"],
  unused: ["knip"],
  generated: ["node", "tools/lua/generate.ts", "--check"],
  repository: ["vitest", "run", "--project", "unit", "tests/repository"],
};

interface Outcome {
  readonly name: string;
  readonly passed: boolean;
  readonly output: string;
  readonly seconds: number;
}

function perform(name: string, [command = "", ...args]: readonly string[]): Promise<Outcome> {
  const startedMs = performance.now();
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
    const end = (passed: boolean): void =>
      resolve({ name, passed, output, seconds: (performance.now() - startedMs) / 1000 });
    child.on("error", (error) => {
      output += error.message;
      end(false);
    });
    child.on("close", (code) => end(code === 0));
  });
}

const outcomes = await Promise.all(Object.entries(steps).map(([name, command]) => perform(name, command)));
for (const { name, passed, output, seconds } of outcomes) {
  console.log(`${passed ? "ok    " : "FAILED"}  ${name} (${seconds.toFixed(1)} s)`);
  if (!passed) console.log(output);
}
const failed = outcomes.filter(({ passed }) => !passed);
console.log(failed.length === 0 ? "All checks passed." : `Failed: ${failed.map(({ name }) => name).join(", ")}.`);
process.exitCode = failed.length === 0 ? 0 : 1;
