import { spawn } from "node:child_process";
import { readdir } from "node:fs/promises";
import path from "node:path";

import { describe, expect, it } from "vitest";

import { isAlive, killAfterwards, parentOf, privateFolder } from "./private-folder.ts";

const program = path.join(import.meta.dirname, "fixtures", "holds-services.ts");

describe("services that nobody stops", () => {
  it.each([
    { title: "the run is interrupted with its whole group", signal: "SIGINT", group: true },
    { title: "the run is terminated", signal: "SIGTERM", group: false },
    { title: "the run is killed", signal: "SIGKILL", group: false },
    { title: "the run is killed with its whole group", signal: "SIGKILL", group: true },
  ] as const)("leaves no process and no folder when $title", async ({ signal, group }) => {
    const temporary = await privateFolder();
    const run = spawn(process.execPath, ["--conditions=sluice-source", program], {
      detached: true,
      env: { ...process.env, TMPDIR: temporary, NODE_OPTIONS: "" },
      stdio: ["pipe", "pipe", "inherit"],
    });
    const pids = await new Promise<number[]>((resolve) => {
      run.stdout.once("data", (line: Buffer) => resolve(JSON.parse(line.toString()) as number[]));
    });
    const processes = [...pids, ...pids.map(parentOf)];
    for (const pid of [run.pid!, ...processes]) killAfterwards(pid);
    expect(processes.filter(isAlive)).toHaveLength(2 * pids.length);
    expect(await readdir(temporary)).toHaveLength(pids.length);
    process.kill(group ? -run.pid! : run.pid!, signal);
    await expect.poll(() => processes.filter(isAlive), { timeout: 15_000 }).toEqual([]);
    await expect.poll(() => readdir(temporary), { timeout: 15_000 }).toEqual([]);
  });

  it("hold no process open that has nothing left to do", async () => {
    const temporary = await privateFolder();
    const run = spawn(process.execPath, ["--conditions=sluice-source", program], {
      env: { ...process.env, TMPDIR: temporary, NODE_OPTIONS: "" },
      stdio: ["ignore", "ignore", "inherit"],
    });
    const code = await new Promise((resolve) => run.once("exit", resolve));
    expect(code).toBe(0);
    await expect.poll(() => readdir(temporary), { timeout: 15_000 }).toEqual([]);
  });
});
