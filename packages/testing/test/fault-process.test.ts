import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";

import { continueProcess, frozen, killProcess, stopProcess } from "@sluice/testing/faults";
import { describe, expect, it } from "vitest";

import { processFacts, processTree } from "../src/faults/process-state.ts";

const nextTurn = globalThis.setImmediate;

// The name in parentheses is there to confuse readers of /proc.
const echo = "process.title = 'a) T (b'; process.stdin.pipe(process.stdout); process.stdout.write('up')";

type Echo = ChildProcess & AsyncDisposable & { readonly pid: number; readonly ended: Promise<unknown> };

async function echoProcess(program = echo): Promise<Echo> {
  const child = spawn(process.execPath, ["-e", program], { stdio: ["pipe", "pipe", "ignore"] });
  await once(child.stdout, "data");
  const ended = once(child, "close");
  return Object.assign(child as ChildProcess & { pid: number }, {
    ended,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
    },
  });
}

const stateOf = async (pid: number): Promise<string | undefined> => (await processFacts(pid))?.state;

async function livingChildren(): Promise<number> {
  return (await processTree(process.pid)).filter(({ state }) => state !== "ended").length;
}

describe("a frozen process", () => {
  it("hears nothing until it goes on, and then hears it all", async () => {
    await using child = await echoProcess();
    const answer = once(child.stdout!, "data") as Promise<[Buffer]>;
    let answered = false;
    void answer.then(() => (answered = true));
    const [state, early] = await frozen(child.pid, async () => {
      child.stdin!.write("hello");
      return [await stateOf(child.pid), answered];
    });
    expect([state, early]).toEqual(["stopped", false]);
    expect((await answer).toString()).toBe("hello");
    expect(await stateOf(child.pid)).toBe("running");
  });

  it("goes on when the work meanwhile fails", async () => {
    await using child = await echoProcess();
    const failed = frozen(child.pid, () => Promise.reject(new Error("meanwhile")));
    await expect(failed).rejects.toThrow("meanwhile");
    expect(await stateOf(child.pid)).toBe("running");
  });

  it("goes on when whoever froze it is killed", async () => {
    await using child = await echoProcess();
    const freezing = `import { frozen } from "@sluice/testing/faults";
      await frozen(${child.pid}, () => { process.stdout.write("frozen"); return new Promise((r) => process.stdin.on("data", r)); });`;
    const args = ["--conditions=sluice-source", "--input-type=module", "-e", freezing];
    const freezer = spawn(process.execPath, args, { cwd: import.meta.dirname, stdio: ["pipe", "pipe", "inherit"] });
    await once(freezer.stdout, "data");
    expect(await stateOf(child.pid)).toBe("stopped");
    freezer.kill("SIGKILL");
    while ((await stateOf(child.pid)) !== "running") await new Promise((resolve) => nextTurn(resolve));
    expect(child.signalCode).toBeNull();
  });

  it("leaves nobody behind to let it go on again", async () => {
    await using child = await echoProcess();
    const before = await livingChildren();
    expect(await frozen(child.pid, livingChildren)).toBe(before + 1);
    expect(await livingChildren()).toBe(before);
  });

  it("may be killed meanwhile", async () => {
    await using child = await echoProcess();
    await expect(frozen(child.pid, () => killProcess(child.pid))).resolves.toBeUndefined();
  });

  it("may end meanwhile without anybody waiting for it", async () => {
    await using child = await echoProcess();
    const killed = frozen(child.pid, async () => process.kill(child.pid, "SIGKILL"));
    await expect(killed).resolves.toBe(true);
  });

  it("may have children that have ended", async () => {
    // Whoever the shell becomes never asks what became of the shell's child.
    const parent = spawn("/bin/sh", ["-c", "true & exec cat"], { stdio: ["pipe", "ignore", "ignore"] });
    const pid = parent.pid ?? 0;
    const states = async (): Promise<string[]> => (await processTree(pid)).map(({ state }) => state);
    while ((await states()).join() !== "running,ended") await new Promise((resolve) => nextTurn(resolve));
    await expect(frozen(pid, states, { tree: true })).resolves.toEqual(["stopped", "ended"]);
    await killProcess(pid);
  });

  it("takes the processes that it started with it", async () => {
    await using parent = await echoProcess(
      `const { spawn } = require("node:child_process");
       const child = spawn(process.execPath, ["-e", "process.stdin.resume()"], { stdio: ["pipe", "ignore", "ignore"] });
       child.on("spawn", () => process.stdout.write("up")); process.on("disconnect", () => child.kill());`,
    );
    const states = await frozen(parent.pid, async () => (await processTree(parent.pid)).map(({ state }) => state), {
      tree: true,
    });
    expect(states).toEqual(["stopped", "stopped"]);
    const tree = await processTree(parent.pid);
    expect(tree.map(({ state }) => state)).toEqual(["running", "running"]);
    await killProcess(parent.pid, { tree: true });
    expect(await Promise.all(tree.map(({ pid }) => stateOf(pid)))).not.toContain("running");
  });
});

describe("a signal", () => {
  it("ends a process for good, and again without harm", async () => {
    await using child = await echoProcess();
    await killProcess(child.pid);
    expect([undefined, "ended"]).toContain(await stateOf(child.pid));
    await child.ended;
    await killProcess(child.pid);
    expect(child.signalCode).toBe("SIGKILL");
  });

  it("stops a process until another lets it go on", async () => {
    await using child = await echoProcess();
    await stopProcess(child.pid);
    expect(await stateOf(child.pid)).toBe("stopped");
    await continueProcess(child.pid);
    expect(await stateOf(child.pid)).toBe("running");
  });

  it("says when the process has ended instead", async () => {
    await using child = await echoProcess();
    await killProcess(child.pid);
    await child.ended;
    await expect(frozen(child.pid, () => Promise.resolve(), { tree: true })).rejects.toThrow("is ended");
    await expect(stopProcess(child.pid)).rejects.toMatchObject({ code: "ERR_SLUICE_PROCESS_STATE", pid: child.pid });
  });

  it.each([
    ["a group", 0],
    ["the first process", 1],
    ["everybody", -1],
    ["a fraction", 1.5],
    ["itself", process.pid],
  ])("is not sent to %s", async (_, pid) => {
    const refused = { code: "ERR_SLUICE_INVALID_ARGUMENT", argument: "pid" };
    await expect(killProcess(pid)).rejects.toMatchObject(refused);
    await expect(frozen(pid, async () => undefined)).rejects.toMatchObject(refused);
  });
});
