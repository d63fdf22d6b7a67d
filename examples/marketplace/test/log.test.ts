import { describe, expect, it } from "vitest";

import { normalized } from "../src/infra/slow-queries.ts";
import { captureLog, createProbe } from "./support/test-server.ts";

describe("the log", () => {
  it("has one line per request with exactly the agreed fields", async () => {
    const log = captureLog();
    await using server = await createProbe({ logLevel: "info", logTo: log.stream });
    await server.inject({
      url: "/items/7?token=hunter2",
      headers: { "x-request-id": "abc", authorization: "hunter2" },
    });
    expect(log.lines).toEqual([
      {
        level: "info",
        timestamp: expect.stringMatching(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/),
        request_id: "abc",
        message: "Request completed",
        method: "GET",
        route: "/items/:id",
        status_code: 200,
        duration_ms: expect.any(Number),
      },
    ]);
  });

  it("names no URL that it does not know", async () => {
    const log = captureLog();
    await using server = await createProbe({ logLevel: "info", logTo: log.stream });
    await server.inject({ url: "/hunter2" });
    expect(log.lines[0]).toMatchObject({ route: "unmatched", status_code: 404 });
  });

  it("shows slow statements without the values in them", () => {
    expect(normalized("select *\n  from t1 where a = 'O''Brien' and b > 12.5 and c = $1 limit 20")).toBe(
      "select * from t1 where a = ? and b > ? and c = $1 limit ?",
    );
  });
});
