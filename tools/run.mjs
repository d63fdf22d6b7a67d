// What every script in package.json goes through, on whatever Node (>= 20) and npm the machine has: installs the
// workspace with the pnpm that package.json names when node_modules does not match pnpm-lock.yaml, then runs its
// arguments as a command with the workspace's own Node first on PATH.
import { spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { constants } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

// Read before there is a child: once that has said a word, this process's own parent may be gone.
const parent = process.ppid;
const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const shell = process.platform === "win32";
const bin = path.join(root, "node_modules", ".bin");

/** A file's text, or undefined where there is none yet. */
function read(file) {
  try {
    return readFileSync(path.join(root, file), "utf8");
  } catch (error) {
    if (error.code === "ENOENT") return undefined;
    throw error;
  }
}

const { packageManager } = JSON.parse(read("package.json"));
// -y: an .npmrc may say yes=false. --prefer-offline: a cached pnpm must not wait for the registry.
const pnpm = ["npx", "-y", "--prefer-offline", packageManager];

function install() {
  const [file, ...args] = [...pnpm, "install", "--frozen-lockfile"];
  const { status, error } = spawnSync(file, args, { cwd: root, shell, stdio: ["ignore", "inherit", "inherit"] });
  if (error) console.error(error.message);
  if (status !== 0) process.exit(status ?? 1);
}

function run([command, ...rest]) {
  const [file, ...args] = command === "pnpm" ? [...pnpm, ...rest] : [command, ...rest];
  const env = { ...process.env, PATH: `${bin}${path.delimiter}${process.env.PATH}` };
  const child = spawn(file, args, { cwd: root, env, shell, stdio: "inherit" });
  process.on("SIGINT", () => {}); // the terminal sends it to the child too
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  // A shell between npm and this process dies of a signal without passing it on: watch for the parent instead.
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    child.kill("SIGTERM");
  }, 500);
  watch.unref();
  child.on("error", (error) => {
    console.error(error.message);
    process.exitCode = 127;
  });
  child.on("exit", (code, signal) => {
    process.exitCode = code ?? 128 + constants.signals[signal];
  });
}

if (read("node_modules/.pnpm/lock.yaml") !== read("pnpm-lock.yaml")) install();
if (process.argv.length > 2) run(process.argv.slice(2));
