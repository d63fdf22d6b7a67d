import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";

import { describe, expect, it, onTestFinished } from "vitest";

import { sluice } from "./session.ts";

const nowhere = { REDIS_URL: "redis://127.0.0.1:1", DATABASE_URL: "postgres://127.0.0.1:1/none" };

/** The port of a server that takes connections, and says nothing. */
async function silentPort(): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => void sockets.add(socket.on("error", () => {}))).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, "close");
  });
  return (server.address() as AddressInfo).port;
}

describe("sluice", () => {
  it("tells what it can do", async () => {
    for (const line of ["", "help", "--help"]) {
      const { code, out } = await sluice(line);
      expect(code).toBe(0);
      expect(out).toContain("rate-limit inspect <subject>");
    }
  });

  it("tells the options of a command", async () => {
    const { code, out } = await sluice("rate-limit override --help");
    expect(code).toBe(0);
    expect(out).toContain("Usage: sluice rate-limit override <subject> [options]");
    expect(out).toContain("--limit <number>");
  });

  it.each([
    ["nonsense", 'There is no command "nonsense"'],
    ["rate-limit", 'There is no command "rate-limit"'],
    ["rate-limit inspect", "takes <subject>, got 0 words"],
    ["rate-limit inspect user:1 user:2", "takes <subject>, got 2 words"],
    ["rate-limit inspect user:1 --force", "Unknown option '--force'"],
    ["rate-limit inspect 42", "A subject is user:<id>"],
    ["rate-limit inspect __proto__:42", "A subject is user:<id>"],
    ["rate-limit inspect user:", "id must be"],
    ["rate-limit block user:1", "--for is missing"],
    ["rate-limit block user:1 --for soon", "--for must be"],
    ["rate-limit block user:1 --for 9999d", "--for must be"],
    ["rate-limit override user:1 --for 1h --name a", "--limit is missing"],
    ["rate-limit override user:1 --for 1h --name a --limit 0", "--limit must be a whole number from 1"],
    ["rate-limit override user:1 --for 1h --name a --limit 1e3", "--limit must be a whole number from 1"],
    ["rate-limit override user:1 --for 1h --name a,b --limit 5", "name must be"],
    ["rate-limit override user:1 --for 1h --name a --limit 5 --refill -1", "--refill"],
    ["cache", 'There is no command "cache"'],
    ["cache flush", "takes <prefix>, got 0 words"],
    ["cache flush v1:fe*", "prefix must be"],
    ["cache flush {feed}", "prefix must be"],
    ["cache flush feed --scope a*b", "scope must be"],
    ["cache flush feed --max-stale soon", "--max-stale must be"],
    ["cache flush feed --max-stale 9999d", "--max-stale must be"],
    ["cache flush feed --pattern x", "Unknown option '--pattern'"],
    [`cache inspect ${"k".repeat(3000)}`, "key must be"],
    ["cache stats :feed", "prefix must be"],
    ["cache reclaim feed --pace 0", "--pace must be"],
    ["cache reclaim feed --pace 1e3", "--pace must be"],
    ["inventory verify now", "takes nothing, got 1 words"],
    ["inventory verify --limit 0", "--limit must be"],
    [`inventory verify --schema ${"s".repeat(64)}`, "ERR_SLUICE_INVALID_ARGUMENT"],
    ["inventory low-stock --limit 10001", "--limit must be"],
    ["inventory restock shirt", "takes <product> <quantity>, got 1 words"],
    ["inventory restock shirt 5", "--key is missing"],
    ["inventory restock shirt 0 --key a", "quantity must be a whole number from 1"],
    ["inventory restock shirt 1.5 --key a", "quantity must be a whole number from 1"],
    ["inventory restock shirt 9007199254740992 --key a", "quantity must be a whole number from 1"],
    [`inventory restock ${"p".repeat(201)} 5 --key a`, "productId must be"],
    ["inventory verify --database http://example.org", "urls must be"],
    ["cache flush feed --redis http://example.org", "url must be"],
  ])("does not do what it does not understand: %s", async (line, problem) => {
    const { code, err, out } = await sluice(line, nowhere);
    expect(err).toContain(problem);
    expect(code).toBe(2);
    expect(out).toBe("");
  });

  it("asks where Redis is when nothing says so", async () => {
    const { code, err } = await sluice("rate-limit inspect user:1", { REDIS_URL: "" });
    expect(err).toBe("ERR_SLUICE_CLI_USAGE: Say where Redis is: --redis, RATE_LIMIT_REDIS_URL or REDIS_URL.");
    expect(code).toBe(2);
  });

  it("asks where PostgreSQL is when nothing says so", async () => {
    const { code, err } = await sluice("inventory verify", { DATABASE_URL: "" });
    expect(err).toBe("ERR_SLUICE_CLI_USAGE: Say where PostgreSQL is: --database or DATABASE_URL.");
    expect(code).toBe(2);
  });

  it("fails in bounded time when PostgreSQL refuses, without showing its password", async () => {
    const { code, err } = await sluice("inventory verify --database postgres://me:hush@127.0.0.1:1/none");
    expect(code).toBe(1);
    expect(err).toContain("ERR_SLUICE_INVENTORY_UNAVAILABLE");
    expect(err).not.toContain("hush");
  });

  it.each([
    "rate-limit inspect user:1",
    "cache flush feed",
    "cache inspect feed:a",
    "cache stats feed",
    "cache reclaim feed",
  ])("fails in bounded time when Redis refuses, without showing its password: %s", async (line) => {
    const { code, err } = await sluice(`${line} --redis redis://:hush@127.0.0.1:1`);
    expect(code).toBe(1);
    expect(err).toContain("ERR_SLUICE_REDIS_UNAVAILABLE");
    expect(err).not.toContain("hush");
  });

  it.each([
    ["cache flush feed --redis redis", "ERR_SLUICE_REDIS_UNAVAILABLE"],
    ["inventory verify --database postgres", "ERR_SLUICE_INVENTORY_UNAVAILABLE"],
  ])("fails in bounded time when nobody answers: %s", async (line, problem) => {
    const beganMs = performance.now();
    const { code, err } = await sluice(`${line}://127.0.0.1:${await silentPort()}/0`);
    expect(code).toBe(1);
    expect(err).toContain(problem);
    expect(performance.now() - beganMs).toBeLessThan(10_000);
  });
});
