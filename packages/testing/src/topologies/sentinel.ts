import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { createKeeper } from "../services/keeper.ts";
import { startServer } from "../services/start-server.ts";
import type { Stoppable } from "./redis-nodes.ts";

/** A Sentinel of {@link RedisSentinels}. */
export interface RedisSentinel extends Stoppable {
  readonly pid: number;
  /** `127.0.0.1`. */
  readonly host: string;
  readonly port: number;
  /** Resolves to what became of it, such as `"was ended by SIGKILL"`, whoever ended it. */
  readonly exited: Promise<string>;
  /** The last 20 lines of its log, oldest first. */
  readonly log: () => readonly string[];
}

/** The name that the Sentinels know their master by. */
export const masterName = "mymaster";

/** What a Sentinel watches, and with whom. */
export interface SentinelPlan {
  readonly binary: string;
  readonly masterPort: number;
  readonly replicaPort: number;
  /** Of all Sentinels. */
  readonly ports: readonly number[];
  readonly downAfterMs: number;
}

/**
 * Starts the Sentinel at one of the ports.
 *
 * @throws `ERR_SLUICE_SERVER_START` with the last lines of its log.
 */
export async function launchSentinel(plan: SentinelPlan, port: number): Promise<RedisSentinel> {
  const folder = await mkdtemp(path.join(tmpdir(), "sluice-sentinel-"));
  // A Sentinel writes its file again at every change, and has nothing to save at its end.
  const keeper = createKeeper({ folders: [folder], stopSignal: "SIGKILL" });
  const stop = async (): Promise<void> => keeper[Symbol.asyncDispose]();
  try {
    const file = path.join(folder, "sentinel.conf");
    await writeFile(file, configuration(plan, port, folder));
    const { pid, exited, log } = await startServer(keeper, "redis-sentinel", {
      file: plan.binary,
      args: [file, "--sentinel"],
      cwd: folder,
      ready: /Sentinel ID is/,
    });
    keeper.unref();
    return { pid, host: "127.0.0.1", port, exited, log, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function configuration(
  { masterPort, replicaPort, ports, downAfterMs }: SentinelPlan,
  port: number,
  folder: string,
): string {
  const quorum = Math.floor(ports.length / 2) + 1;
  // Told of each other and of the replica, they need not find each other by messages that they exchange every two
  // seconds, nor ask the master for its replicas, which they do every ten.
  const others = ports.filter((each) => each !== port);
  const lines = [
    `port ${port}`,
    "bind 127.0.0.1",
    `dir ${folder}`,
    `sentinel myid ${idOf(port)}`,
    `sentinel monitor ${masterName} 127.0.0.1 ${masterPort} ${quorum}`,
    `sentinel down-after-milliseconds ${masterName} ${downAfterMs}`,
    `sentinel failover-timeout ${masterName} 3000`,
    `sentinel known-replica ${masterName} 127.0.0.1 ${replicaPort}`,
    ...others.map((other) => `sentinel known-sentinel ${masterName} 127.0.0.1 ${other} ${idOf(other)}`),
  ];
  return `${lines.join("\n")}\n`;
}

function idOf(port: number): string {
  return port.toString(16).padStart(40, "0");
}
