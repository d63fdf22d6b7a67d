import { readFile } from "node:fs/promises";

/** Which process: its id, and where the system tells, when it began, because ids are used again. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks since boot. Null where there is no /proc. */
  readonly startTicks: string | null;
}

/** The identity of a running process, undefined when there is none with that id. */
export async function identify(pid: number): Promise<ProcessIdentity | undefined> {
  return isAlive(pid) ? { pid, startTicks: await startTicks(pid) } : undefined;
}

/** Whether that very process still runs. */
export async function isRunning({ pid, startTicks: began }: ProcessIdentity): Promise<boolean> {
  const now = await identify(pid);
  return now !== undefined && (began === null || now.startTicks === null || now.startTicks === began);
}

/** Whether a process with that id exists. One that waits to be reaped does not count, where the system tells. */
function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

// Field 22 of proc_pid_stat(5). The second field, the program's name, may itself hold blanks and parentheses.
async function startTicks(pid: number): Promise<string | null> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null;
  } catch {
    return null;
  }
}
