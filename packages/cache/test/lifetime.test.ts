import { describe, expect, it } from "vitest";

import { createCache, paramsKey, type Environment } from "../src/index.ts";
import { lifetimeMs } from "../src/lifetime.ts";

/** The lifetime of a scope under an environment, in ms. */
function lifetime(
  env: Environment | undefined,
  { scope = "feed", variable }: { scope?: string; variable?: string } = {},
) {
  return lifetimeMs({ scope, ttl: "60s", env, variable });
}

describe("the lifetime of a scope", () => {
  it("comes from its variable, else from the default's, else from the code", () => {
    const env = { FEED_CACHE_TTL_SECONDS: "9", DEFAULT_CACHE_TTL_SECONDS: "7" };
    expect(lifetime(env)).toBe(9000);
    expect(lifetime({ DEFAULT_CACHE_TTL_SECONDS: "7" })).toBe(7000);
    expect(lifetime({})).toBe(60_000);
    expect(lifetime(undefined)).toBe(60_000);
    expect(lifetime({ LISTING_DETAIL_CACHE_TTL_SECONDS: "8" }, { scope: "listing_detail" })).toBe(8000);
    expect(lifetime({ PRODUCTS_LIST_CACHE_TTL_SECONDS: "8" }, { scope: "products.list" })).toBe(8000);
    expect(lifetime(env, { scope: "feed:search", variable: "FEED_CACHE_TTL_SECONDS" })).toBe(9000);
    expect(lifetime({ FEED_CACHE_TTL_SECONDS: "0" })).toBe(0);
    expect(lifetime({ FEED_CACHE_TTL_SECONDS: "31536000" })).toBe(31_536_000_000);
  });

  it("fails the start, naming the variable, when that is malformed", () => {
    for (const text of ["", " ", "abc", "5m", "1e3", "-1", "+5", "1.5", "0x10", "31536001", "99999999", "1 "]) {
      for (const variable of ["FEED_CACHE_TTL_SECONDS", "DEFAULT_CACHE_TTL_SECONDS"]) {
        let error: unknown;
        try {
          const cache = createCache({ env: { [variable]: text } });
          cache.scope("feed", { prefix: "v1:feed", key: paramsKey<object>(), ttl: "1m" });
        } catch (thrown) {
          error = thrown;
        }
        expect(error).toMatchObject({ code: "ERR_SLUICE_INVALID_ARGUMENT", argument: variable });
        expect((error as Error).message).toContain(JSON.stringify(text));
      }
    }
  });

  it("fails the start for a variable of its kind that no scope asks for, and for no other", () => {
    const env = { FEED_CACHE_TTL_SECONDS: "60", CACHE_TTL_SECONDS_OF_OTHERS: "5m", PATH: "x" };
    createCache({ env });
    for (const variable of ["DEFAULT_CACHE_TTL_SECONDS", "FEDE_CACHE_TTL_SECONDS"]) {
      expect(() => createCache({ env: { ...env, [variable]: "5 parsecs" } })).toThrow(
        expect.objectContaining({ code: "ERR_SLUICE_INVALID_ARGUMENT", argument: variable }),
      );
    }
  });
});
