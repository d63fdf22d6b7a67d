import { systemClock } from "@sluice/core";

import { ServerStartError } from "./errors.ts";
import type { Keeper, KeptProcess, Program } from "./keeper.ts";

// A server that recovers a large data folder after a crash takes its time.
const longestStartMs = 120_000;

/**
 * Runs a server under the keeper until it says that it is ready.
 *
 * @throws `ERR_SLUICE_SERVER_START` with the server's last words.
 */
export async function startServer(
  keeper: Keeper,
  name: string,
  server: Program & { ready: RegExp },
): Promise<KeptProcess> {
  const { ready, ...program } = server;
  const kept = await runOrRefuse(keeper, name, program);
  const ended = new AbortController();
  const late = new Promise<string>((resolve) => {
    const timer = systemClock.schedule(longestStartMs, () => resolve(`took longer than ${longestStartMs} ms`));
    ended.signal.addEventListener("abort", () => timer.cancel());
  });
  const failure = await Promise.race([kept.written(ready), kept.exited, late]);
  ended.abort();
  if (failure === undefined) return kept;
  keeper.signal("SIGKILL");
  await kept.exited;
  throw new ServerStartError(name, failure, kept.log());
}

/**
 * Runs a program under the keeper to its end.
 *
 * @throws `ERR_SLUICE_SERVER_START` with its last words, when it does not end with 0.
 */
export async function runToEnd(keeper: Keeper, name: string, program: Program): Promise<void> {
  const kept = await runOrRefuse(keeper, name, program);
  const outcome = await kept.exited;
  if (outcome !== "ended with 0") throw new ServerStartError(name, outcome, kept.log());
}

async function runOrRefuse(keeper: Keeper, name: string, program: Program): Promise<KeptProcess> {
  try {
    return await keeper.run(program);
  } catch (error) {
    throw new ServerStartError(name, "could not be run", [(error as Error).message]);
  }
}
