import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { emptyDatabase, startMarketplace, type TestMarketplace } from "./support/marketplace.ts";

let market: TestMarketplace;
beforeAll(async () => {
  market = await startMarketplace({ databaseUrl: await emptyDatabase() });
});
afterAll(() => market[Symbol.asyncDispose]());

describe("the documentation", () => {
  it("describes every write: who may, what goes in, what comes out", async () => {
    const api = (await (await fetch(`${market.url}/openapi.json`)).json()) as {
      paths: Record<string, Record<string, { security?: unknown; requestBody?: unknown; responses: object }>>;
      components: { securitySchemes: unknown };
    };
    expect(api.components.securitySchemes).toEqual({
      bearer: { type: "http", scheme: "bearer", bearerFormat: "JWT" },
    });
    const writes = Object.entries(api.paths).flatMap(([path, methods]) =>
      Object.entries(methods)
        .filter(([method]) => method !== "get")
        .map(([method, route]) => ({ path, method, route })),
    );
    expect(writes).toHaveLength(2 * 28);
    const open = writes.filter(({ route }) => route.security === undefined).map(({ path }) => path);
    expect(new Set(open.map((path) => path.replace(/^\/api(\/v1)?/, "")))).toEqual(
      new Set(["/auth/register", "/auth/login", "/auth/refresh", "/auth/logout"]),
    );
    for (const { path, method, route } of writes) {
      expect(Object.keys(route.responses)).toEqual(expect.arrayContaining([expect.stringMatching(/^20[012]$/), "4XX"]));
      const takesNothing = method === "delete" || /(approve|logout-all|cancel)$/.test(path);
      expect([path, route.requestBody === undefined]).toEqual([path, takesNothing]);
    }
    const lines = api.paths["/api/admin/products/bulk-import"]?.["post"]?.requestBody;
    expect(lines).toMatchObject({
      content: { "application/x-ndjson": { schema: { type: "string", contentSchema: { type: "object" } } } },
    });
  });
});
