import { execFile } from "node:child_process";
import { readFile, readlink, realpath } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

import { sleep, systemClock } from "@sluice/core";

import { identify, isRunning } from "./process-identity.ts";

const run = promisify(execFile);
const pollMs = 20;
const patienceMs = 15_000;

/**
 * Stops a PostgreSQL that still serves a data folder although its owner is gone, as after `kill -9`. Only a process
 * that PostgreSQL's own `postmaster.pid` names, and that works in that folder, is signalled.
 *
 * @returns the id of what was stopped.
 */
export async function stopOrphan(dataFolder: string): Promise<number | undefined> {
  const pid = await postmasterOf(dataFolder);
  const orphan = pid === undefined ? undefined : await identify(pid);
  if (orphan === undefined || !(await servesFolder(orphan.pid, dataFolder))) return undefined;
  // Fast shutdown first; then a crash, from which the next start recovers.
  for (const signal of ["SIGINT", "SIGQUIT", "SIGKILL"] as const) {
    if (!(await isRunning(orphan))) break;
    signalQuietly(orphan.pid, signal);
    const deadlineMs = systemClock.monotonic() + patienceMs;
    while ((await isRunning(orphan)) && systemClock.monotonic() < deadlineMs) await sleep(systemClock, pollMs);
  }
  return orphan.pid;
}

async function postmasterOf(dataFolder: string): Promise<number | undefined> {
  const text = await readFile(path.join(dataFolder, "postmaster.pid"), "utf8").catch(() => "");
  const pid = Number(text.split("\n", 1)[0]);
  return Number.isSafeInteger(pid) && pid > 1 ? pid : undefined;
}

/** Whether a process is a server on the folder: a stale file may name a stranger. */
async function servesFolder(pid: number, dataFolder: string): Promise<boolean> {
  const folder = await realpath(dataFolder);
  const workingFolder = await readlink(`/proc/${pid}/cwd`).catch(() => undefined);
  if (workingFolder !== undefined) return workingFolder === folder;
  const command = await run("ps", ["-o", "command=", "-p", String(pid)]).catch(() => ({ stdout: "" }));
  return command.stdout.includes("postgres") && command.stdout.includes(dataFolder);
}

function signalQuietly(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended by itself.
  }
}
