import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { chmod, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { onTestFinished } from "vitest";

const machineFolder = tmpdir();

/** A folder of this test alone, which every user may enter. Removed after the test. */
export async function privateFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(machineFolder, "sluice-test-"));
  await chmod(folder, 0o755);
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Sets environment variables until the test ends. */
export function setEnvironment(variables: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(variables)) {
    const before = process.env[name];
    restore(name, value);
    onTestFinished(() => restore(name, before));
  }
}

/** Makes `os.tmpdir()` a private folder until the test ends. Returns a function that lists what is in it. */
export async function privateTemporaryFolder(): Promise<() => Promise<string[]>> {
  const folder = await privateFolder();
  setEnvironment({ TMPDIR: folder });
  return () => readdir(folder);
}

/** Whether a process runs. One that has ended and only waits to be collected does not. */
export function isAlive(pid: number): boolean {
  const { state } = processState(pid);
  return state !== undefined && !state.startsWith("Z");
}

/** Kills a process after the test, if it is still there: a test that fails must not leave it behind. */
export function killAfterwards(pid: number): void {
  onTestFinished(() => {
    if (isAlive(pid)) process.kill(pid, "SIGKILL");
  });
}

/** The process that started another. */
export function parentOf(pid: number): number {
  return Number(processState(pid).parent);
}

function processState(pid: number): { state?: string | undefined; parent?: string | undefined } {
  if (process.platform !== "linux") {
    const { stdout } = spawnSync("ps", ["-o", "stat=,ppid=", "-p", String(pid)], { encoding: "utf8" });
    const [state, parent] = stdout.trim().split(/\s+/);
    return { state: state || undefined, parent };
  }
  // Slim containers have no ps.
  const text = existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, "utf8") : "";
  const [, state, parent] = /\) (\S+) (\d+)/.exec(text) ?? [];
  return { state, parent };
}

function restore(name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name];
  else process.env[name] = value;
}
