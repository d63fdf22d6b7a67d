import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";

import { root } from "../repository/workspace.ts";

/** A quick start that listens, as its reader has started it. */
export interface QuickStart extends AsyncDisposable {
  /** What it invites the reader to open. */
  readonly url: string;
  /** Tells it to end, as a terminal does, and resolves when all of its processes have. */
  stop(): Promise<void>;
}

/**
 * Runs `npm start` in `examples/<name>` on a free port, with no more of this process's environment than it needs.
 *
 * @throws `Error` with what it wrote, when it ends before it listens.
 */
export async function startQuickStart(
  name: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<QuickStart> {
  const child = spawn("npm", ["start"], {
    cwd: path.join(root, "examples", name),
    env: { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "", PORT: "0", ...environment },
    // A process group of its own, to which signals go, as those of a terminal do.
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let written = "";
  let hasEnded = false;
  const ended = once(child, "close").finally(() => {
    hasEnded = true;
  });
  const url = await new Promise<string>((resolve, reject) => {
    const look = (chunk: unknown): void => {
      written += String(chunk);
      const [, found] = /Listening on (http:\S+)/.exec(written) ?? [];
      if (found !== undefined) resolve(found);
    };
    child.stdout.on("data", look);
    child.stderr.on("data", look);
    void ended.then(() => reject(new Error(`examples/${name} has ended: ${written}`)));
  });

  async function stop(): Promise<void> {
    if (!hasEnded) process.kill(-(child.pid ?? 0), "SIGTERM");
    await ended;
  }

  return { url, stop, [Symbol.asyncDispose]: stop };
}
