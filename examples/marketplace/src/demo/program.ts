import { fork, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";

import { systemClock } from "@sluice/core";

/** A program that was started, and tells what it does. */
export interface Program extends AsyncDisposable {
  /** Hands it what it waits for. */
  send(message: object): void;
  /**
   * The value that it tells under a name.
   *
   * @throws `Error` with the last that it wrote, when it ends before.
   */
  told(name: string): Promise<unknown>;
  /** Hears every value that it tells under a name. */
  hear(name: string, listener: (value: unknown) => void): void;
}

const longestTrouble = 4000;
// Longer than the shutdown of the marketplace may take.
const longestEndMs = 10_000;

/**
 * Starts one of the programs of the demonstration. It sees no more of this process's environment than it is given, and
 * ends with this process, however that ends.
 */
export function startProgram(name: string, environment: Readonly<Record<string, string>> = {}): Program {
  const file = fileURLToPath(new URL(`programs/${name}.ts`, import.meta.url));
  const { PATH = "", HOME = "" } = process.env;
  const child = fork(file, {
    env: { PATH, HOME, ...environment },
    serialization: "advanced",
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  let trouble = "";
  child.stderr?.on("data", (chunk) => (trouble = (trouble + String(chunk)).slice(-longestTrouble)));
  const ended = endOf(child);

  function hear(what: string, listener: (value: unknown) => void): void {
    child.on("message", (message: Readonly<Record<string, unknown>>) => {
      if (what in message) listener(message[what]);
    });
  }

  return {
    send: (message) => void child.send(message),
    told: (what) =>
      new Promise((resolve, reject) => {
        hear(what, resolve);
        void ended.then((how) => reject(new Error(`The program ${name} ended with ${how}: ${trouble.trim()}`)));
      }),
    hear,
    async [Symbol.asyncDispose]() {
      if (child.connected) child.disconnect();
      const late = systemClock.schedule(longestEndMs, () => void child.kill("SIGKILL"));
      await ended;
      late.cancel();
    },
  };
}

/** With what it ended: its exit code, or the signal. All that it wrote has been read by then. */
async function endOf(child: ChildProcess): Promise<string> {
  const written = new Promise((resolve) => child.stderr?.once("close", resolve));
  // "close" would wait for the channel, too, and never comes where this side has closed that.
  const how = await new Promise<string>((resolve) => {
    child.once("exit", (code, signal) => resolve(String(code ?? signal)));
    child.once("error", (error) => resolve(error.message));
  });
  await written;
  return how;
}
