import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/**
 * What the kernel reports of a process: `stopped` by a signal, `ended` when it is gone or merely waits for its parent
 * to take note of its end, and `running` whether it has work or not.
 */
export type ProcessState = "running" | "stopped" | "ended";

/** One process at one moment. */
export interface ProcessFacts {
  readonly pid: number;
  readonly parent: number;
  readonly state: ProcessState;
  /** Tells the process from a later one of the same number. */
  readonly started: string;
}

/** The process of that number, or `undefined` when there is none. Reads /proc on Linux and asks `ps` elsewhere. */
export async function processFacts(pid: number): Promise<ProcessFacts | undefined> {
  if (process.platform === "linux") return linuxFacts(pid);
  return (await listed(["-p", String(pid)]))[0];
}

/** The process and all that it started, directly or not, parents first. */
export async function processTree(root: number): Promise<ProcessFacts[]> {
  const all = process.platform === "linux" ? await allOfLinux() : await listed(["-A"]);
  const tree = all.filter(({ pid }) => pid === root);
  for (const { pid } of tree) tree.push(...all.filter(({ parent }) => parent === pid));
  return tree;
}

async function allOfLinux(): Promise<ProcessFacts[]> {
  const numbers = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const facts = await Promise.all(numbers.map((name) => linuxFacts(Number(name))));
  return facts.filter((each) => each !== undefined);
}

// The name of the program, in parentheses, may hold anything, parentheses included. Fields after it: proc_pid_stat(5).
async function linuxFacts(pid: number): Promise<ProcessFacts | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, "latin1").catch(() => "");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [letter = "", parent] = fields;
  if (letter === "") return undefined;
  return { pid, parent: Number(parent), state: stateOf(letter), started: fields[19] ?? "" };
}

async function listed(which: readonly string[]): Promise<ProcessFacts[]> {
  // `ps` ends with 1 when no process matches.
  const { stdout } = await run("ps", ["-o", "pid=,ppid=,stat=,lstart=", ...which]).catch(() => ({ stdout: "" }));
  return stdout.split("\n").flatMap((line) => {
    const [, pid, parent, letter, started] = /^\s*(\d+)\s+(\d+)\s+(\S)\S*\s+(.+)$/.exec(line) ?? [];
    if (pid === undefined) return [];
    return [{ pid: Number(pid), parent: Number(parent), state: stateOf(letter ?? ""), started: started ?? "" }];
  });
}

function stateOf(letter: string): ProcessState {
  if (letter === "T" || letter === "t") return "stopped";
  return letter === "Z" || letter === "X" ? "ended" : "running";
}
