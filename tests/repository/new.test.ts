import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { scaffold } from "../../tools/new.ts";
import { readmeOf } from "./readme.ts";
import { filesBelow, root } from "./workspace.ts";

const run = promisify(execFile);
const scratch = path.join(root, "tests/.examples");
let workspace = "";
let packages = "";
let folder = "";

beforeAll(() => {
  mkdirSync(scratch, { recursive: true });
  workspace = mkdtempSync(path.join(scratch, "new-"));
  packages = path.join(workspace, "packages");
  folder = scaffold("token-jar", packages);
});

afterAll(() => rmSync(workspace, { recursive: true }));

describe("a new primitive", () => {
  it("has its name everywhere", () => {
    const files = filesBelow(folder, /./).map((file) => path.relative(folder, file));
    expect(files).toContain("src/token-jar.ts");
    expect(files.filter((file) => file.includes("__") || file.endsWith(".txt"))).toEqual([]);
  });

  it("fails its README until it is written", () => {
    const readme = readmeOf(folder);
    expect(readme.title).toBe("@sluice/token-jar");
    expect(readme.sentence).not.toMatch(/^[A-Z].*\.$/);
    expect(readme.program).toBe("");
    expect(readme.failures).toContain("the store is down");
  });

  it("fails its laws until they are written", async () => {
    const config = path.join(root, "vitest.workspace.ts");
    const options = ["--config", config, "--root", workspace, "--project", "unit", "--reporter", "default"];
    const vitest = run("vitest", ["run", ...options]);
    await expect(vitest).rejects.toMatchObject({
      stderr: expect.stringContaining("Write the laws of @sluice/token-jar"),
    });
  });

  it("is refused when the name is taken or malformed", () => {
    expect(() => scaffold("token-jar", packages)).toThrow("EEXIST");
    expect(() => scaffold("../escape", packages)).toThrow("kebab-case");
    expect(() => scaffold("TokenJar", packages)).toThrow("kebab-case");
  });
});
