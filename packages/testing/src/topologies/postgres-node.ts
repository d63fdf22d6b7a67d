import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import path from "node:path";

import { systemClock } from "@sluice/core";

import { ServerStartError } from "../services/errors.ts";
import type { KeptProcess } from "../services/keeper.ts";
import { startPostmaster, type PostgresSettings, type PostmasterPlace } from "../services/postgres-program.ts";

/** How a primary ends: `fast` sends the rest to its replicas first, `immediate` is a crash, `kill` is `kill -9`. */
export type PrimaryStopMode = "fast" | "immediate" | "kill";

/** One server of a topology. */
export interface PostgresNode {
  /** Of the postmaster that was started last. */
  readonly pid: number;
  /** On 127.0.0.1, the same for good. */
  readonly port: number;
  /** The superuser `postgres` and the database `postgres`, without a password. */
  readonly url: string;
  /** Where its data is. */
  readonly dataFolder: string;
  /** Whether its postmaster runs. */
  readonly running: boolean;
  /** The last 20 lines of its log, oldest first. */
  log(): readonly string[];
}

/** Where a node lives. */
export interface NodePlace extends PostmasterPlace {
  readonly port: number;
  readonly settings: PostgresSettings;
}

/** A {@link PostgresNode} as its topology drives it. */
export interface DrivenNode extends PostgresNode, AsyncDisposable {
  start(): Promise<void>;
  stop(mode: PrimaryStopMode): Promise<void>;
  /** Writes its own configuration, and has it read when the server runs. Resolves when the server has read it. */
  configure(settings: PostgresSettings): Promise<void>;
  /** Runs another program of the installation on its data. */
  control(program: string, args: readonly string[], input?: string): Promise<void>;
  /** Resolves once the server writes, or has just written, a line that matches. */
  written(pattern: RegExp): Promise<void>;
}

/** The file with the settings that change while the server runs; `postgresql.conf` includes it. */
export const ownConfiguration = "sluice.conf";

const stopSignals = { fast: "SIGINT", immediate: "SIGQUIT", kill: "SIGKILL" } as const;
const longestWaitMs = 60_000;

/** A node on a data folder that is there. It does not run yet. */
export function createNode({ port, settings, ...place }: NodePlace): DrivenNode {
  const { keeper, user, bin, dataFolder } = place;
  const ids = { uid: user?.uid, gid: user?.gid };
  let server: KeptProcess | undefined;
  let running = false;
  let configured = 0;

  async function start(): Promise<void> {
    const started = await startPostmaster(place, port, settings);
    server = started;
    running = true;
    void started.exited.then(() => (running = server === started ? false : running));
  }

  async function written(pattern: RegExp): Promise<void> {
    if (!server) throw new Error("the server was never started");
    await within(server, pattern);
  }

  return {
    port,
    dataFolder,
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    get pid() {
      return server?.pid ?? 0;
    },
    get running() {
      return running;
    },
    log: () => server?.log() ?? [],
    start,
    written,
    async stop(mode) {
      if (!running || !server) return;
      keeper.signal(stopSignals[mode]);
      if (await soon(server.exited)) return;
      // A fast end waits for replicas, and a frozen one never takes the rest.
      keeper.signal("SIGKILL");
      await soon(server.exited);
    },
    async configure(changes) {
      configured += 1;
      const lines = Object.entries({ ...changes, "sluice.configured": configured });
      const text = lines.map(([name, value]) => `${name} = '${String(value).replaceAll("'", "''")}'\n`).join("");
      await writeFile(path.join(dataFolder, ownConfiguration), text);
      if (!running) return;
      keeper.signal("SIGHUP");
      await written(new RegExp(`parameter "sluice\\.configured" changed to "${configured}"`));
    },
    control: (program, args, input) => runOnce(path.join(bin, program), { args, cwd: dataFolder, ...ids, input }),
    [Symbol.asyncDispose]: () => keeper[Symbol.asyncDispose](),
  };
}

async function within(server: KeptProcess, pattern: RegExp): Promise<void> {
  const late = `did not write ${String(pattern)} in time`;
  const seen = Promise.race([server.written(pattern).then(() => "written"), server.exited]);
  const outcome = (await soon(seen)) ?? late;
  if (outcome !== "written") throw new ServerStartError("postgres", outcome, server.log());
}

/** What the promise resolves to, unless that takes too long. Keeps this process running meanwhile. */
async function soon<T>(promise: Promise<T>): Promise<T | undefined> {
  let cancel: (() => void) | undefined;
  const late = new Promise<undefined>((resolve) => {
    const timer = systemClock.schedule(longestWaitMs, () => resolve(undefined));
    cancel = () => timer.cancel();
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    cancel?.();
  }
}

interface OneRun {
  readonly args: readonly string[];
  readonly cwd: string;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  readonly input: string | undefined;
}

function runOnce(file: string, { args, input = "", uid, gid, cwd }: OneRun): Promise<void> {
  const ids = uid === undefined || gid === undefined ? {} : { uid, gid };
  return new Promise((resolve, reject) => {
    const options = { ...ids, cwd, env: { LC_ALL: "C" }, timeout: longestWaitMs };
    const child = execFile(file, args, options, (error, stdout, stderr) => {
      if (!error) return resolve();
      const lines = `${stdout}${stderr}`.trim().split("\n").slice(-20);
      reject(new ServerStartError(path.basename(file), "failed", lines));
    });
    child.stdin?.end(input);
  });
}
