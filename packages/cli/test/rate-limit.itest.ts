import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { systemRandom } from "@sluice/core";
import { bucket, byIp, byUser, createRateLimiter, window } from "@sluice/rate-limit";
import { redisStore } from "@sluice/rate-limit/redis";
import { connectRedis } from "@sluice/redis/ioredis";
import { service } from "@sluice/testing/vitest";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { sluice } from "./session.ts";

const prefix = `cli:${Buffer.from(systemRandom.bytes(6)).toString("base64url")}:`;
const redis = () => connectRedis({ url: service("redis").url });
let connection: ReturnType<typeof redis>;
beforeAll(() => void (connection = redis()));
afterAll(() => connection.close());

/** Another process's limiter, as far as it shows: it shares nothing with the program but Redis. */
function limiter() {
  return createRateLimiter({
    store: redisStore(connection, { prefix, deadlineMs: 5000 }),
    policies: { browse: window({ limit: 2, per: "1h" }), buy: bucket({ capacity: 1, refill: 1, every: "1h" }) },
  });
}

const told = (line: string) => sluice(`rate-limit ${line} --prefix ${prefix}`, { REDIS_URL: service("redis").url });

describe("sluice rate-limit", () => {
  it("shows what a subject has spent, in words and in JSON", async () => {
    await limiter().consume("browse", byUser("seen"));
    const { out, code } = await told("inspect user:seen");
    expect(code).toBe(0);
    expect(out).toBe("rate:user:seen\n  browse (window, 3600000 ms): 1 spent");
    expect(JSON.parse((await told("inspect user:seen --json")).out)).toMatchObject({
      key: "rate:user:seen",
      blockedMs: 0,
      counters: [{ name: "browse", spent: 1 }],
    });
    expect((await told("inspect user:nobody")).out).toBe("rate:user:nobody\n  nothing is kept");
  });

  it("resets a subject, and no other", async () => {
    const limits = limiter();
    for (const id of ["reset", "kept"])
      for (let call = 0; call < 2; call += 1) await limits.consume("browse", byUser(id));
    expect((await told("reset user:reset")).code).toBe(0);
    const fresh = limiter();
    expect((await fresh.consume("browse", byUser("reset"))).allowed).toBe(true);
    expect((await fresh.consume("browse", byUser("kept"))).allowed).toBe(false);
  });

  it("blocks an address for a while, and lets it in again", async () => {
    expect((await told("block ip:203.0.113.7 --for 10m")).code).toBe(0);
    expect((await limiter().consume("browse", byIp("203.0.113.7"))).allowed).toBe(false);
    expect((await told("inspect ip:203.0.113.7")).out).toMatch(/blocked for \d+ ms/);
    expect((await told("block ip:203.0.113.7 --for 0s")).code).toBe(0);
    expect((await limiter().consume("browse", byIp("203.0.113.7"))).allowed).toBe(true);
  });

  it("takes an address in whatever text a log has it, as guards count it", async () => {
    const network = byIp("2001:db8:1:2::/64");
    expect((await told("block ip:2001:DB8:1:2:3:4:5:6 --for 10m")).code).toBe(0);
    expect((await limiter().consume("browse", network)).allowed).toBe(false);
    expect((await told("inspect ip:2001:db8:1:2::9%eth0")).out).toMatch(/blocked for \d+ ms/);
    expect((await told("block ip:2001:db8:1:2::/64 --for 0s")).code).toBe(0);
    expect((await limiter().consume("browse", network)).allowed).toBe(true);
    expect((await told("inspect ip:::ffff:203.0.113.9")).out).toContain("rate:anon:203.0.113.9");
    expect((await told("inspect ip:2001:db8:1:2::1/56")).out).toContain("rate:anon:2001:db8:1::/56");
    expect((await told("inspect ip:-")).out).toContain("rate:anon:-");
    for (const none of ["203.0.113", "2001:db8::1/129", "1.2.3.4/64", "example.com", "1.2.3.4/24/8"]) {
      expect((await told(`block ip:${none} --for 10m`)).code).not.toBe(0);
    }
  });

  it("takes all that follows the user for the action, and none for a mistake", async () => {
    expect((await told("inspect action:42/buy/more")).out).toContain("rate_limit:42:buy%2Fmore");
    expect((await told("inspect action:42")).code).not.toBe(0);
  });

  it("overrides a limit for a while, in processes that run already", async () => {
    const limits = limiter();
    for (let call = 0; call < 2; call += 1) await limits.consume("browse", byUser("vip"));
    expect((await told("override user:vip --name browse --limit 5 --for 1h")).code).toBe(0);
    const fresh = limiter();
    for (let call = 0; call < 3; call += 1) expect((await fresh.consume("browse", byUser("vip"))).allowed).toBe(true);
    expect((await fresh.consume("browse", byUser("vip"))).allowed).toBe(false);
    expect((await told("inspect user:vip")).out).toMatch(/browse: 5 instead for \d+ ms/);
    expect((await told("override user:vip --name browse --for 0s")).code).toBe(0);
    expect((await told("inspect user:vip")).out).not.toContain("instead");
  });

  it("runs as a program of its own", async () => {
    const bin = fileURLToPath(new URL("../src/bin.ts", import.meta.url));
    const args = ["--conditions=sluice-source", bin, "rate-limit", "inspect", "user:nobody", "--json"];
    const env = { ...process.env, RATE_LIMIT_REDIS_URL: service("redis").url };
    const { stdout } = await promisify(execFile)(process.execPath, args, { env });
    expect(JSON.parse(stdout)).toMatchObject({ key: "rate:user:nobody", counters: [] });
  });
});
