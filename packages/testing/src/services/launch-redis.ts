import { mkdir, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { onPort } from "./free-port.ts";
import { createKeeper, type Keeper } from "./keeper.ts";
import { startServer } from "./start-server.ts";

/** How {@link launchRedis} runs a server. */
export interface LaunchRedisOptions {
  /** The program, `redis-server` or `valkey-server`: see `findRedis`. */
  readonly binary: string;
  /** Where its files stay between launches. Made when missing. Default: a temporary folder, removed at the end. */
  readonly dataFolder?: string;
  /** Loopback port. Default: a free one. */
  readonly port?: number;
  /**
   * Directives of `redis.conf`, such as `{ appendonly: "yes", appendfsync: "always" }`. Default: nothing is written
   * to disk.
   */
  readonly settings?: Readonly<Record<string, string | number>>;
}

/** A Redis that {@link launchRedis} has started. */
export interface LaunchedRedis extends AsyncDisposable {
  /** Of the server. */
  readonly pid: number;
  /** On 127.0.0.1. */
  readonly port: number;
  /** On 127.0.0.1, without a password. */
  readonly url: string;
  /** Where its files are. */
  readonly dataFolder: string;
  /** Resolves to what became of it, such as `"ended with 0"`, whoever ended it. */
  readonly exited: Promise<string>;
  /** The last 20 lines of its log, oldest first. */
  readonly log: () => readonly string[];
  /** Resolves once the server has ended and nothing temporary is left. Idempotent. */
  readonly stop: () => Promise<void>;
}

/**
 * Runs a real Redis or Valkey, reachable on 127.0.0.1 only, that ends when this process does: at the latest a moment
 * after it was killed.
 *
 * @throws `ERR_SLUICE_SERVER_START` with the last lines of the server's log.
 */
export async function launchRedis({ binary, port, ...options }: LaunchRedisOptions): Promise<LaunchedRedis> {
  const temporary = await mkdtemp(path.join(tmpdir(), "sluice-redis-"));
  const keeper = createKeeper({ folders: [temporary], stopSignal: "SIGTERM" });
  const dataFolder = path.resolve(options.dataFolder ?? temporary);
  const settings = { save: "", appendonly: "no", ...options.settings };
  try {
    await mkdir(dataFolder, { recursive: true });
    return await onPort(port, (chosen) => serve(keeper, binary, { dataFolder, settings, port: chosen }));
  } catch (error) {
    await keeper[Symbol.asyncDispose]();
    throw error;
  }
}

async function serve(
  keeper: Keeper,
  binary: string,
  { dataFolder, settings, port }: Required<Omit<LaunchRedisOptions, "binary">>,
): Promise<LaunchedRedis> {
  const fixed = { port, bind: "127.0.0.1", dir: dataFolder, daemonize: "no", logfile: "" };
  const given = Object.entries({ ...settings, ...fixed }).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const { pid, exited, log } = await startServer(keeper, path.basename(binary), {
    file: binary,
    args: given,
    cwd: dataFolder,
    ready: /ready to accept connections/i,
  });
  keeper.unref();
  const stop = async (): Promise<void> => keeper[Symbol.asyncDispose]();
  const url = `redis://127.0.0.1:${port}`;
  return { pid, port, url, dataFolder, exited, log, stop, [Symbol.asyncDispose]: stop };
}
