import { spawn, type ChildProcess, type SpawnOptions } from "node:child_process";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const demo = fileURLToPath(new URL("../../src/demo/flash-sale.ts", import.meta.url));
const root = fileURLToPath(new URL("../../../../", import.meta.url));

/** A real `main.ts`, as `npm start` runs it. */
export interface MarketProcess {
  readonly pid: number;
  /** What it has printed, and what it has logged. */
  readonly printed: () => string;
  readonly logged: () => string;
  /** Resolves to its exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
  /** Resolves to its URL once it listens. Rejects with what it wrote if it ends before. */
  listening(): Promise<string>;
  signal(name: NodeJS.Signals): void;
}

/** Runs `main.ts` with no more of this process's environment than it needs. */
export function runMarket(args: readonly string[], environment: Readonly<Record<string, string>> = {}): MarketProcess {
  return observe(spawn(process.execPath, ["--conditions=sluice-source", main, ...args], optionsOf(environment)));
}

/** Runs `demo/flash-sale.ts`, as `npm run demo:flash-sale` does. */
export function runDemo(args: readonly string[], environment: Readonly<Record<string, string>> = {}): MarketProcess {
  return observe(spawn(process.execPath, ["--conditions=sluice-source", demo, ...args], optionsOf(environment)));
}

/** Runs `npm start` in a process group of its own, to which signals go, as those of a terminal or a supervisor do. */
export function runNpmStart(args: readonly string[], environment: Readonly<Record<string, string>>): MarketProcess {
  const options = { ...optionsOf(environment), cwd: root, detached: true };
  const npm = observe(spawn("npm", ["start", "--", ...args], options));
  return { ...npm, signal: (name) => void process.kill(-npm.pid, name) };
}

function optionsOf(environment: Readonly<Record<string, string>>): SpawnOptions {
  // The last two plant a defect, where one is.
  const needed = ["PATH", "HOME", "NODE_OPTIONS", "SLUICE_PLANTED"].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    env: { ...Object.fromEntries(needed), ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  };
}

function observe(child: ChildProcess): MarketProcess {
  let [printed, logged] = ["", ""];
  child.stdout?.on("data", (chunk) => (printed += String(chunk)));
  child.stderr?.on("data", (chunk) => (logged += String(chunk)));
  const ended = new Promise<number | string>((resolve) => {
    child.on("close", (code, signal) => resolve(code ?? signal ?? "gone"));
  });
  return {
    pid: child.pid ?? 0,
    printed: () => printed,
    logged: () => logged,
    ended,
    listening: () =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const url = /"Listening on (http:[^"]+)"/.exec(logged)?.[1];
          if (url !== undefined) resolve(url);
        };
        child.stderr?.on("data", look);
        look();
        void ended.then(() => reject(new Error(`It ended: ${printed}${logged}`)));
      }),
    signal: (name) => void process.kill(child.pid ?? 0, name),
  };
}
