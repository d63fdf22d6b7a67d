import { describe, expect, it } from "vitest";

import { readProxies } from "../src/config/proxies.ts";
import { routeTable } from "../src/limits/route-table.ts";
import { tierOf } from "../src/limits/tiers.ts";

describe("the tier of a request", () => {
  it.each([
    ["POST", "/api/auth/login", "auth"],
    ["POST", "/api/v1/auth/refresh", "auth"],
    ["GET", "/api/auth/me", "browse"],
    ["POST", "/api/flash-buy", "flash"],
    ["POST", "/api/v1/flash-buy", "flash"],
    ["DELETE", "/api/products/:id", "write"],
    ["GET", undefined, "browse"],
    ["PATCH", undefined, "write"],
    ["GET", "/health/ready", undefined],
    ["GET", "/metrics", undefined],
    ["GET", "/healthy", "browse"],
  ])("of %s %s is %s", (method, route, tier) => {
    expect(tierOf({ method, route })).toBe(tier);
  });
});

describe("the tier of an unknown route", () => {
  it("is that of the route that its path would have", () => {
    expect(tierOf({ method: "POST", route: undefined, path: "/api/flash-buy" })).toBe("flash");
    expect(tierOf({ method: "POST", route: undefined, path: "/api/auth/nothing" })).toBe("auth");
    expect(tierOf({ method: "GET", route: undefined, path: "/health/nothing" })).toBe("browse");
  });
});

describe("the table of routes", () => {
  const rows = [
    { method: "GET", path: "/api/products", tier: "browse" },
    { method: "POST", path: "/api/products", tier: "write" },
  ] as const;

  it("shows each route's tier", () => {
    expect(routeTable(rows, true)).toEqual(["  GET    /api/products  browse", "  POST   /api/products  write"]);
  });

  it("warns about writes without a limit", () => {
    expect(routeTable(rows, false).at(-1)).toBe("Warning: 1 routes that write have no limit.");
    expect(routeTable([{ method: "PUT", path: "/x", tier: undefined }], true)).toHaveLength(2);
  });
});

describe("the proxies that are believed", () => {
  it("are a number of hops, or addresses and ranges", () => {
    expect(readProxies("2")).toEqual({ hops: 2 });
    expect(readProxies("10.0.0.0/8, fd00::/8")).toEqual({ trusted: ["10.0.0.0/8", "fd00::/8"] });
  });

  it.each(["0", "33", "", "true", "10.0.0.0/33", "10.0.0.0/8,", "example.com"])("are not %j", (text) => {
    expect(readProxies(text)).toBeUndefined();
  });
});
