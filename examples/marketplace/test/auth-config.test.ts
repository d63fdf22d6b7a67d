import { describe, expect, it } from "vitest";

import { printConfig } from "../src/config/print-config.ts";
import { configOf, problemsOf, secret } from "./support/config.ts";

const production = { NODE_ENV: "production", DATABASE_URL: "postgres://app@db/shop", SECRET_KEY: secret };

describe("the configuration of auth", () => {
  it("follows OWASP where nothing is said", () => {
    expect(configOf(production).config.auth).toMatchObject({
      argon2: { memoryKib: 19_456, passes: 2, parallelism: 1 },
      accessTtlMs: 900_000,
      refreshTtlMs: 2_592_000_000,
      refreshLeewayMs: 20_000,
      previousSecretKey: undefined,
    });
  });

  it("counts lifetimes in milliseconds", () => {
    const { auth } = configOf({ JWT_ACCESS_TTL: "90s", JWT_REFRESH_TTL: "2h", REFRESH_LEEWAY: "0s" }).config;
    expect(auth).toMatchObject({ accessTtlMs: 90_000, refreshTtlMs: 7_200_000, refreshLeewayMs: 0 });
  });

  it("has passwords that everybody knows for the embedded PostgreSQL alone", () => {
    expect(configOf({}).config.auth).toMatchObject({
      admin: { email: "admin@example.com", password: expect.any(String) },
      seedPassword: expect.any(String),
    });
    for (const environment of [{ DATABASE_URL: "postgres://db/shop" }, production]) {
      expect(configOf(environment).config.auth).toMatchObject({ admin: undefined, seedPassword: undefined });
    }
  });

  it.each([
    ["SECRET_KEY_PREVIOUS", "short"],
    ["ADMIN_PASSWORD", "short"],
    ["SEED_PASSWORD", "a".repeat(129)],
    ["ADMIN_EMAIL", "nobody"],
    ["JWT_ACCESS_TTL", "15"],
    ["JWT_ACCESS_TTL", "2d"],
    ["JWT_REFRESH_TTL", "1.5d"],
    ["REFRESH_LEEWAY", "6m"],
    ["JWT_ISSUER", "two words"],
    ["ARGON2_MEMORY_KIB", "7"],
    ["ARGON2_PASSES", "0"],
    ["ARGON2_PARALLELISM", "5"],
  ])("refuses a wrong %s", (name, value) => {
    expect(problemsOf({ [name]: value })).toEqual([expect.stringMatching(new RegExp(`^${name} must be `))]);
  });

  it.each([
    ["a refresh token that ends with its access token", { JWT_ACCESS_TTL: "1h", JWT_REFRESH_TTL: "1h" }],
    ["a lane of Argon2 without memory", { ARGON2_MEMORY_KIB: "16", ARGON2_PARALLELISM: "4" }],
    ["hashes that are too cheap for production", { ...production, ARGON2_MEMORY_KIB: "7167" }],
    ["an administrator without a password", { ...production, ADMIN_EMAIL: "root@example.org" }],
    ["a password without an administrator", { ...production, ADMIN_PASSWORD: "hunter2hunter2" }],
  ])("refuses %s", (_title, environment) => {
    const problems = problemsOf(environment);
    expect(problems).toHaveLength(1);
    expect(problems.join()).not.toContain("hunter2");
  });

  it("is printed without a secret", () => {
    const passwords = { ADMIN_PASSWORD: "hunter2hunter2", SEED_PASSWORD: "hunter3hunter3" };
    const given = {
      ...production,
      ...passwords,
      ADMIN_EMAIL: "root@example.org",
      SECRET_KEY_PREVIOUS: `old ${secret}`,
    };
    const printed = printConfig(configOf(given).settings);
    expect(printed).toMatch(/^ADMIN_EMAIL +root@example\.org +set$/m);
    expect(printed).toMatch(/^ADMIN_PASSWORD +\(not shown\) +set$/m);
    expect(printed).toMatch(/^SECRET_KEY_PREVIOUS +\(not shown\) +set$/m);
    expect(printed).not.toMatch(/hunter|correct horse/);
  });
});
