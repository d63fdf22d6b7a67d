import { spawn, type ChildProcess } from "node:child_process";
import { rm } from "node:fs/promises";

import { keeperProgram } from "./keeper-program.ts";

/** What a {@link Keeper} is to run. */
export interface Program {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  /** To run as. Default: the user of this process. */
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
}

/** A program under a {@link Keeper}. */
export interface KeptProcess {
  readonly pid: number;
  /** Resolves to what became of it, such as `"ended with 0"` or `"was ended by SIGKILL"`. */
  readonly exited: Promise<string>;
  /** The last lines that it has written, oldest first. */
  readonly log: () => readonly string[];
  /** Resolves once a line that it writes matches. Never rejects, and waits for ever when none does. */
  written(pattern: RegExp): Promise<void>;
}

/** Runs programs, one at a time, that must not outlive this process. */
export interface Keeper extends AsyncDisposable {
  /** @throws `Error` of the operating system when the program cannot be started. */
  run(program: Program): Promise<KeptProcess>;
  /** Sends a signal to the program that runs. */
  signal(name: NodeJS.Signals): void;
  /** Lets this process end while the program runs, which then ends the program too. */
  unref(): void;
}

/** How {@link createKeeper} cleans up. */
export interface KeeperOptions {
  /** Removed when the keeper goes. */
  readonly folders: readonly string[];
  /** Asks the running program to end. It gets SIGKILL when it has not after 10 s. */
  readonly stopSignal: NodeJS.Signals;
}

type Message =
  | { readonly type: "started"; readonly pid: number }
  | { readonly type: "refused"; readonly reason: string }
  | { readonly type: "line"; readonly text: string }
  | { readonly type: "exited"; readonly outcome: string };

const keptLines = 20;

/**
 * Starts a small process of its own, the keeper, which runs programs as its children. It holds a channel to this
 * process, and when that closes, for whatever reason, it ends its child and removes the folders. So an orderly stop,
 * Ctrl-C and `kill -9` of this process all take one path. The keeper leads a session of its own: what a terminal sends
 * to a whole group does not reach it.
 */
export function createKeeper({ folders, stopSignal }: KeeperOptions): Keeper {
  const keeper = spawnKeeper(folders, stopSignal);
  let receive: ((message: Message) => void) | undefined;
  let pid: number | undefined;
  keeper.on("message", (message: Message) => {
    if (message.type === "started") pid = message.pid;
    if (message.type === "exited") pid = undefined;
    receive?.(message);
  });
  const gone = afterwards();

  async function afterwards(): Promise<void> {
    await goneFrom(keeper);
    // Killed itself, the keeper could neither end its program nor remove the folders.
    if (pid !== undefined) killQuietly(pid);
    receive?.({ type: "exited", outcome: "lost its keeper" });
    for (const folder of folders) await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }

  return {
    async run(program) {
      if (!keeper.connected) throw new Error("the keeper has gone");
      hold(keeper, true);
      return new Promise((resolve, reject) => {
        receive = keptProcess(resolve, reject);
        send(keeper, { run: program });
      });
    },
    signal: (name) => send(keeper, { kill: name }),
    unref: () => hold(keeper, false),
    async [Symbol.asyncDispose]() {
      hold(keeper, true);
      send(keeper, { end: true });
      await gone;
    },
  };
}

/** Resolves when the process has ended and all that it said has arrived. */
async function goneFrom(keeper: ChildProcess): Promise<void> {
  const failed = new Promise<void>((resolve) => keeper.once("error", () => resolve()));
  const exited = new Promise<void>((resolve) => keeper.once("exit", () => resolve()));
  const heard = new Promise<void>((resolve) => keeper.once("disconnect", () => resolve()));
  await Promise.race([failed, Promise.all([exited, heard])]);
}

function spawnKeeper(folders: readonly string[], stopSignal: string): ChildProcess {
  // The servers take no settings from the environment of the tests, nor does the keeper's Node.
  const kept = Object.entries(process.env).filter(([name]) => !/^(PG|NODE_)/.test(name));
  return spawn(process.execPath, ["--input-type=commonjs", "-e", keeperProgram, stopSignal, ...folders], {
    cwd: "/",
    detached: true,
    env: { ...Object.fromEntries(kept), LC_ALL: "C" },
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
}

function keptProcess(started: (process: KeptProcess) => void, refused: (error: Error) => void) {
  const lines: string[] = [];
  const listeners = new Set<(line: string) => void>();
  let exit: (outcome: string) => void;
  const exited = new Promise<string>((resolve) => (exit = resolve));
  const written = (pattern: RegExp): Promise<void> =>
    new Promise((resolve) => {
      const listen = (line: string): void => {
        if (!pattern.test(line)) return;
        listeners.delete(listen);
        resolve();
      };
      listeners.add(listen);
      for (const line of lines) listen(line);
    });
  return (message: Message): void => {
    switch (message.type) {
      case "started":
        started({ pid: message.pid, exited, log: () => [...lines], written });
        break;
      case "refused":
        refused(new Error(message.reason));
        break;
      case "line":
        lines.push(message.text);
        if (lines.length > keptLines) lines.shift();
        for (const listen of listeners) listen(message.text);
        break;
      case "exited":
        refused(new Error(message.outcome));
        exit(message.outcome);
        break;
    }
  };
}

function send(keeper: ChildProcess, message: object): void {
  // What cannot be sent any more needs no answer: the end of the keeper is noticed by itself.
  if (keeper.connected) keeper.send(message, () => undefined);
}

function hold(keeper: ChildProcess, held: boolean): void {
  for (const handle of [keeper, keeper.channel]) {
    if (held) handle?.ref();
    else handle?.unref();
  }
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}
