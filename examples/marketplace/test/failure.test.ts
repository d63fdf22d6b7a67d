import { CommitUnknownError } from "@sluice/postgres";
import { describe, expect, it } from "vitest";

import { failureOf } from "../src/http/failure-of.ts";

describe("a failure of the database", () => {
  it("during a commit is no invitation to send the request again", () => {
    const failure = failureOf(new CommitUnknownError({ cause: new Error("password=hunter2") }));
    expect(failure).toMatchObject({ status: 500, code: "OUTCOME_UNKNOWN", headers: {} });
    expect(failure.message).not.toContain("hunter2");
  });

  it("before it is one", () => {
    const refused = Object.assign(new Error("connect"), { code: "ECONNREFUSED" });
    expect(failureOf(refused)).toMatchObject({
      status: 503,
      code: "DATABASE_UNAVAILABLE",
      headers: { "retry-after": "1" },
    });
  });
});
