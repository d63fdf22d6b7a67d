import { readFileSync } from "node:fs";
import path from "node:path";

import { findRedis, launchRedis, type LaunchedRedis } from "@sluice/testing/services";
import { describeNeeding } from "@sluice/testing/vitest";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { root } from "../repository/workspace.ts";
import { startQuickStart } from "./quick-start.ts";

const names = ["express", "fastify", "hono"] as const;

/** Asks until the limit says no, and answers how often it said yes. */
async function askUntilDenied(url: string): Promise<{ readonly passed: number; readonly denial: Response }> {
  for (let passed = 0; passed < 60; passed += 1) {
    const response = await fetch(url);
    if (response.status === 429) return { passed, denial: response };
    expect(response.status).toBe(200);
  }
  throw new Error("Nothing was denied.");
}

async function expectDocumentedDenial(denial: Response): Promise<void> {
  const seconds = Number(denial.headers.get("retry-after"));
  expect(seconds).toBeGreaterThanOrEqual(1);
  // All 20 may lie just before the window's edge: then a twentieth of the next window must pass as well.
  expect(seconds).toBeLessThanOrEqual(63);
  expect(denial.headers.get("content-type")).toContain("application/json");
  expect(await denial.json()).toEqual({
    ok: false,
    error: { code: "RATE_LIMITED", retry_after_seconds: seconds },
    trace_id: denial.headers.get("x-request-id"),
  });
}

describe.each(names)("the quick start examples/%s", (name) => {
  it("fits on a screen", () => {
    const program = readFileSync(path.join(root, "examples", name, "src/main.ts"), "utf8");
    expect(program.trimEnd().split("\n").length).toBeLessThanOrEqual(60);
  });

  it("caches and limits without any server, and ends when it is told to", async () => {
    await using running = await startQuickStart(name);
    const first = await fetch(running.url);
    const again = await fetch(running.url);
    expect([first.status, first.headers.get("x-cache")]).toEqual([200, "MISS"]);
    expect([again.status, again.headers.get("x-cache")]).toEqual([200, "HIT"]);
    expect(await again.json()).toEqual(await first.json());
    expect(first.headers.get("ratelimit-policy")).toContain("q=20");
    const { passed, denial } = await askUntilDenied(running.url);
    // The window slides: what was asked before its edge counts a little less after it.
    expect(passed).toBeGreaterThanOrEqual(18);
    expect(passed).toBeLessThanOrEqual(20);
    await expectDocumentedDenial(denial);
    await running.stop();
    await expect(fetch(running.url)).rejects.toThrow("fetch failed");
  });

  it("answers an unknown path with the error of all of Sluice", async () => {
    await using running = await startQuickStart(name);
    const response = await fetch(new URL("/nowhere", running.url));
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ ok: false, error: { code: "NOT_FOUND" } });
  });
});

describeNeeding({ programs: [["redis-server", "valkey-server"]] }, "a quick start with REDIS_URL", () => {
  let redis: LaunchedRedis;
  beforeAll(async () => {
    redis = await launchRedis({ binary: (await findRedis()) ?? "redis-server" });
  });
  afterAll(() => redis.stop());

  it("shares cache and limits with the other frameworks", async () => {
    const urls: string[] = [];
    const marks: (string | null)[] = [];
    await using running = new AsyncDisposableStack();
    for (const name of names) {
      const { url } = running.use(await startQuickStart(name, { REDIS_URL: redis.url }));
      urls.push(url);
      marks.push((await fetch(url)).headers.get("x-cache"));
    }
    expect(marks).toEqual(["MISS", "HIT", "HIT"]);
    const [first = "", ...others] = urls;
    const { passed } = await askUntilDenied(first);
    expect(passed).toBeLessThanOrEqual(18);
    for (const url of others) {
      const denial = await fetch(url);
      expect(denial.status).toBe(429);
      await expectDocumentedDenial(denial);
    }
  });

  it("goes on without Redis when it is gone", async () => {
    const own = await launchRedis({ binary: (await findRedis()) ?? "redis-server" });
    await using running = await startQuickStart("express", { REDIS_URL: own.url });
    await own.stop();
    expect((await fetch(running.url)).status).toBe(200);
    expect((await fetch(running.url)).status).toBe(200);
  });
});
