import { spawn, type ChildProcess } from "node:child_process";
import { mkdir, readdir } from "node:fs/promises";
import path from "node:path";

import { describe, expect, it, onTestFinished } from "vitest";

import { keeperProgram } from "../src/services/keeper-program.ts";
import { createKeeper } from "../src/services/keeper.ts";
import { isAlive, killAfterwards, privateFolder } from "./private-folder.ts";

// A child that says so when it is asked to end, and is ready for that once it has written a line.
const server = `
  process.on("SIGINT", () => { console.log("asked to end"); process.exit(3); });
  setInterval(() => {}, 1000);
  console.log("ready");
`;
const program = { file: process.execPath, args: ["-e", server] };
const patience = { timeout: 15_000 };

async function folderToRemove(): Promise<{ parent: string; folder: string }> {
  const parent = await privateFolder();
  const folder = path.join(parent, "data");
  await mkdir(path.join(folder, "deep"), { recursive: true });
  return { parent, folder };
}

describe("a keeper", () => {
  it("ends its program and removes its folders when it is disposed of", async () => {
    const { parent, folder } = await folderToRemove();
    const keeper = createKeeper({ folders: [folder], stopSignal: "SIGINT" });
    const kept = await keeper.run(program);
    killAfterwards(kept.pid);
    await kept.written(/^ready$/);
    expect(isAlive(kept.pid)).toBe(true);
    await keeper[Symbol.asyncDispose]();
    expect(await kept.exited).toBe("ended with 3");
    expect(kept.log()).toEqual(["ready", "asked to end"]);
    expect(isAlive(kept.pid)).toBe(false);
    expect(await readdir(parent)).toEqual([]);
  });

  it("runs one program after the other", async () => {
    await using keeper = createKeeper({ folders: [], stopSignal: "SIGINT" });
    const first = await keeper.run({ file: process.execPath, args: ["-e", "console.error('bad'); process.exit(1)"] });
    expect([await first.exited, first.log()]).toEqual(["ended with 1", ["bad"]]);
    const second = await keeper.run(program);
    keeper.signal("SIGKILL");
    expect(await second.exited).toBe("was ended by SIGKILL");
    await expect(keeper.run({ file: "/nonexistent", args: [] })).rejects.toThrow("ENOENT");
  });

  it("keeps the last lines of a program that writes many", async () => {
    await using keeper = createKeeper({ folders: [], stopSignal: "SIGINT" });
    const writer = "for (let line = 1; line <= 500; line += 1) console.log('line ' + line)";
    const kept = await keeper.run({ file: process.execPath, args: ["-e", writer] });
    await kept.exited;
    expect(kept.log()).toHaveLength(20);
    expect(kept.log().at(-1)).toBe("line 500");
  });

  it.each([
    { title: "its channel closes", lose: (keeper: ChildProcess) => keeper.disconnect() },
    { title: "it is asked to end", lose: (keeper: ChildProcess) => keeper.kill("SIGTERM") },
  ])("cleans up by itself once $title", async ({ lose }) => {
    const { parent, folder } = await folderToRemove();
    const keeper = spawn(process.execPath, ["--input-type=commonjs", "-e", keeperProgram, "SIGINT", folder], {
      stdio: ["ignore", "ignore", "ignore", "ipc"],
    });
    onTestFinished(() => void keeper.kill("SIGKILL"));
    const started = new Promise<number>((resolve) => {
      keeper.on("message", ({ type, pid }: { type: string; pid: number }) => type === "started" && resolve(pid));
    });
    const ready = new Promise<void>((resolve) => {
      keeper.on("message", ({ text }: { text?: string }) => text === "ready" && resolve());
    });
    keeper.send({ run: program });
    const pid = await started;
    killAfterwards(pid);
    await ready;
    lose(keeper);
    await expect.poll(() => isAlive(pid), patience).toBe(false);
    await expect.poll(() => readdir(parent), patience).toEqual([]);
    await expect.poll(() => keeper.exitCode, patience).toBe(0);
  });
});
