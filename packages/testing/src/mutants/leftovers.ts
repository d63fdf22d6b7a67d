import { readdir, readFile } from "node:fs/promises";

import { sleep, systemClock } from "@sluice/core";

const patienceMs = 5000;
const pollMs = 50;

/**
 * Ends the programs that a test has started, directly or not, by an entry of the environment that they have inherited.
 * They are asked first, so that a keeper can remove its folders, and killed when they take long. Linux only: elsewhere
 * nobody may read what a process was started with.
 *
 * @param entry - Such as `"NAME=value"`.
 */
export async function endThoseWith(entry: string): Promise<void> {
  const untilMs = systemClock.monotonic() + patienceMs;
  let signal: NodeJS.Signals = "SIGTERM";
  for (let left = await those(entry); left.length > 0; left = await those(entry)) {
    for (const pid of left) sendQuietly(pid, signal);
    await sleep(systemClock, pollMs);
    if (systemClock.monotonic() > untilMs) signal = "SIGKILL";
  }
}

async function those(entry: string): Promise<number[]> {
  const names = await readdir("/proc").catch(() => []);
  const pids = names.filter((name) => /^\d+$/.test(name)).map(Number);
  const environments = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/environ`, "utf8").catch(() => "")));
  return pids.filter((pid, index) => pid !== process.pid && environments[index]?.split("\0").includes(entry));
}

function sendQuietly(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}
