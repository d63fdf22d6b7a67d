import { type Clock, InvalidArgumentError, sleep, systemClock } from "@sluice/core";

import { ProcessStateError } from "./errors.ts";
import { processFacts, processTree, type ProcessFacts, type ProcessState } from "./process-state.ts";
import { createResumeGuard } from "./resume-guard.ts";

/** Which processes a signal goes to, and how long its effect may take. */
export interface SignalOptions {
  /**
   * Also the processes that it started, directly or not. A PostgreSQL is many processes: without this, its sessions go
   * on when the postmaster is stopped. Default `false`.
   */
  readonly tree?: boolean;
  /** Longest wait in ms for the kernel to report the state. Default 10 000. */
  readonly withinMs?: number;
  /** Default: this machine's. */
  readonly clock?: Clock;
}

// The state of a process comes without notice, so it is looked at again and again.
const pollMs = 2;

/**
 * Ends a process by SIGKILL, as `kill -9` does, and resolves when the kernel reports its end. Does nothing when it has
 * ended already.
 *
 * @throws `ERR_SLUICE_PROCESS_STATE` when it has not ended in time.
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` when `pid` is none that may be signalled: 1, this process, a group.
 */
export async function killProcess(pid: number, options: SignalOptions = {}): Promise<void> {
  await bring(await targets(pid, options), { signal: "SIGKILL", state: "ended", options });
}

/**
 * Stops a process by SIGSTOP: it keeps its memory and its connections, whose bytes the kernel still accepts. Resolves
 * when the kernel reports it as stopped. It stays stopped, also after the end of this process: prefer {@link frozen},
 * which cannot forget to let it go on.
 *
 * @throws `ERR_SLUICE_PROCESS_STATE` when it has ended, or has not stopped in time.
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` as {@link killProcess} does.
 */
export async function stopProcess(pid: number, options: SignalOptions = {}): Promise<void> {
  await stopAll(await targets(pid, options), options);
}

/**
 * Lets a stopped process go on by SIGCONT, and resolves when the kernel reports it as running.
 *
 * @throws `ERR_SLUICE_PROCESS_STATE` when it has ended, or does not run in time.
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` as {@link killProcess} does.
 */
export async function continueProcess(pid: number, options: SignalOptions = {}): Promise<void> {
  await bring(await targets(pid, options), { signal: "SIGCONT", state: "running", options });
}

/**
 * Stops a process while `during` runs, and lets it go on whatever happens: also when `during` throws, and when this
 * process ends meanwhile, be it by `kill -9`. A process that ended while it was stopped is left alone.
 *
 * @returns what `during` returns.
 * @throws `ERR_SLUICE_PROCESS_STATE` when it cannot be stopped, or does not go on in time.
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` as {@link killProcess} does.
 * @example
 * ```ts
 * import { spawn } from "node:child_process";
 *
 * import { frozen, killProcess } from "@sluice/testing/faults";
 *
 * const { pid = 0 } = spawn(process.execPath, ["-e", "process.stdin.resume()"]);
 * await frozen(pid, async () => "it hears nothing"); // => "it hears nothing"
 * await killProcess(pid);
 * ```
 */
export async function frozen<T>(pid: number, during: () => Promise<T>, options: SignalOptions = {}): Promise<T> {
  const first = await targets(pid, options);
  const stopped: ProcessFacts[] = [];
  const guard = createResumeGuard();
  try {
    await stopAll(first, options, async (next) => {
      stopped.push(...next);
      await guard.add(next.map((each) => each.pid));
    });
    return await during();
  } finally {
    try {
      await bring(await alive(stopped), { signal: "SIGCONT", state: "running", options, mayEnd: true });
    } finally {
      await guard.end();
    }
  }
}

/** @param before - Called with processes before they are stopped. */
async function stopAll(
  first: ProcessFacts[],
  options: SignalOptions,
  before?: (next: readonly ProcessFacts[]) => Promise<void>,
): Promise<void> {
  const [root] = first;
  let found = first;
  do {
    await before?.(found);
    await bring(found, { signal: "SIGSTOP", state: "stopped", options, mayEnd: found !== first });
    // One that was started just before its parent stopped was not among them.
    found = options.tree && root ? (await processTree(root.pid)).filter(({ state }) => state === "running") : [];
  } while (found.length > 0);
}

interface Change {
  readonly signal: NodeJS.Signals;
  readonly state: ProcessState;
  readonly options: SignalOptions;
  /** Whether a process may end on the way. The children of the one that was named always may. */
  readonly mayEnd?: boolean;
}

async function targets(pid: number, { tree = false }: SignalOptions): Promise<ProcessFacts[]> {
  if (!(Number.isSafeInteger(pid) && pid > 1) || pid === process.pid) {
    throw new InvalidArgumentError("pid", "the number of another process, above 1", pid);
  }
  const found = tree ? await processTree(pid) : [await processFacts(pid)];
  const known = found.filter((each) => each !== undefined);
  return known.length > 0 ? known : [{ pid, parent: 0, state: "ended", started: "" }];
}

/** Those that have not ended, nor given their number to another. */
async function alive(processes: readonly ProcessFacts[]): Promise<ProcessFacts[]> {
  const now = await Promise.all(processes.map(({ pid }) => processFacts(pid)));
  return processes.filter(({ started }, index) => now[index]?.started === started && now[index]?.state !== "ended");
}

async function bring(processes: readonly ProcessFacts[], change: Change): Promise<void> {
  // Parents come first: one that is stopped starts no more children.
  for (const { pid, state: before } of processes) if (before !== "ended") sendQuietly(pid, change.signal);
  for (const [index, target] of processes.entries()) {
    await arrive(target, index === 0 ? change : { ...change, mayEnd: true });
  }
}

async function arrive({ pid, started }: ProcessFacts, { state, options, mayEnd = false }: Change): Promise<void> {
  const { clock = systemClock, withinMs = 10_000 } = options;
  const untilMs = clock.monotonic() + withinMs;
  for (;;) {
    const facts = await processFacts(pid);
    const seen = facts?.started === started ? facts.state : "ended";
    if (seen === state || (mayEnd && seen === "ended")) return;
    // What has ended comes to no other state.
    if (seen === "ended" || clock.monotonic() >= untilMs) throw new ProcessStateError(pid, state, seen);
    await sleep(clock, pollMs);
  }
}

function sendQuietly(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // It ended in between, which is noticed next.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
