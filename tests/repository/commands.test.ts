import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

import { describe, expect, it, onTestFinished } from "vitest";

import { root } from "./workspace.ts";

const run = promisify(execFile);
const runner = path.join(root, "tools/run.mjs");
const guard = path.join(root, "tools/guard-install.mjs");

/** A child that prints its pid and then stays. */
const lasting = "console.log(process.pid); setInterval(() => {}, 1000)";

async function firstLine(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new Error("The child has no output to read.");
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  return line;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** What outlives a failed test would hold its run open. */
function endedWithTheTest(pid: number): number {
  onTestFinished(() => {
    if (isAlive(pid)) process.kill(pid, "SIGKILL");
  });
  return pid;
}

describe("a command of the workspace", () => {
  it("ends with the exit code of what it ran", async () => {
    await expect(run("node", [runner, "node", "-e", "process.exit(7)"])).rejects.toMatchObject({ code: 7 });
  });

  it("runs on the workspace's own Node", async () => {
    const { stdout } = await run("node", [runner, "node", "-p", "process.versions.node"], {
      env: { ...process.env, PATH: process.env["PATH"] },
    });
    expect(stdout.trim()).toBe("26.10.0");
  });

  it("hands a SIGTERM on", async () => {
    const child = spawn("node", [runner, "node", "-e", lasting], { stdio: ["ignore", "pipe", "inherit"] });
    const pid = endedWithTheTest(Number(await firstLine(child)));
    child.kill("SIGTERM");
    await expect.poll(() => isAlive(pid), { timeout: 5000 }).toBe(false);
  });

  it("leaves no orphan when the shell above it is killed", async () => {
    // The trailing command keeps the shell from replacing itself by the runner.
    const shell = spawn("sh", ["-c", `node ${runner} node -e '${lasting}'; true`], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const pid = endedWithTheTest(Number(await firstLine(shell)));
    shell.kill("SIGKILL");
    await expect.poll(() => isAlive(pid), { timeout: 5000 }).toBe(false);
  });
});

describe("an install by hand", () => {
  it.each(["npm/11.0.0 node/v22", "yarn/1.22.0 npm/?", "bun/1.3.0"])(
    "is refused to %s, with what to type",
    async (agent) => {
      const installing = run("node", [guard], { env: { ...process.env, npm_config_user_agent: agent } });
      await expect(installing).rejects.toMatchObject({
        code: 1,
        stderr: expect.stringContaining("`npm start` or `npm test`"),
      });
    },
  );

  it("goes through for pnpm", async () => {
    const env = { ...process.env, npm_config_user_agent: "pnpm/12.21.0 npm/? node/v26" };
    await expect(run("node", [guard], { env })).resolves.toMatchObject({ stderr: "" });
  });

  it("leaves nothing half-installed when typed into npm", async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "sluice-npm-"));
    cpSync(path.join(root, "package.json"), path.join(folder, "package.json"));
    await expect(run("npm", ["install", "--offline"], { cwd: folder })).rejects.toMatchObject({ code: 1 });
    expect(readdirSync(folder)).toEqual(["package.json"]);
    rmSync(folder, { recursive: true });
  });
});
