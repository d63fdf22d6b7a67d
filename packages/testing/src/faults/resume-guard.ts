import { spawn } from "node:child_process";

/** Lets stopped processes go on when this process ends, in whatever way. */
export interface ResumeGuard {
  /** Takes care of these too. Resolves when that holds. */
  add(pids: readonly number[]): Promise<void>;
  /** Ends the guard, which then does nothing more. */
  end(): Promise<void>;
}

// Reads one number a line. When the line "done" never comes, its end of the pipe was closed by the end of this process.
const program = `pids=
while read -r pid; do
  if [ "$pid" = done ]; then exit 0; fi
  pids="$pids $pid"
done
if [ -n "$pids" ]; then kill -CONT $pids; fi`;

/**
 * Starts a small shell that holds a pipe to this process. When the pipe closes without a farewell, as after `kill -9` of
 * this process, it sends SIGCONT. It leads a session of its own: what a terminal sends to a group does not reach it.
 */
export function createResumeGuard(): ResumeGuard {
  const shell = spawn("/bin/sh", ["-c", program], { detached: true, stdio: ["pipe", "ignore", "ignore"] });
  const gone = new Promise<void>((resolve) => {
    shell.once("exit", () => resolve());
    shell.once("error", () => resolve());
  });
  // Whatever ended the shell, there is nobody left to write to.
  shell.stdin.on("error", () => undefined);
  const write = (text: string): Promise<void> => new Promise((resolve) => shell.stdin.write(text, () => resolve()));
  return {
    add: (pids) => write(pids.map((pid) => `${pid}\n`).join("")),
    async end() {
      await write("done\n");
      shell.stdin.end();
      await gone;
    },
  };
}
