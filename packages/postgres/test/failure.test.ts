import {
  CommitUnknownError,
  PostgresUnavailableError,
  PostgresUnknownError,
  sqlFailure,
  sqlState,
} from "@sluice/postgres";
import { DrizzleQueryError } from "drizzle-orm/errors";
import pg from "pg";
import { describe, expect, it } from "vitest";

function serverError(code: string): Error {
  return Object.assign(new pg.DatabaseError("refused", 0, "error"), { code });
}

function missing(syscall: string): Error {
  return Object.assign(new Error("ENOENT"), { code: "ENOENT", syscall });
}

function below(depth: number): Error {
  let error = serverError("40001");
  for (let level = 0; level < depth; level += 1) error = new Error("outer", { cause: error });
  return error;
}

const kinds = {
  serialization: ["40001", "40P01"],
  timeout: ["57014", "55P03", "25P04"],
  constraint: ["23505", "23503", "23514", "23P01"],
  unavailable: ["57P01", "57P02", "57P03", "57P05", "53300", "25P03", "08000", "08006", "08P01"],
  other: ["42P01", "22012", "25P02", "40002", "P0001", "XX000"],
} as const;

describe("the failure of an error", () => {
  it.each(Object.entries(kinds))("is %s for the SQLSTATEs that say so", (failure, states) => {
    for (const state of states) {
      expect(sqlState(serverError(state))).toBe(state);
      expect(sqlFailure(serverError(state))).toBe(failure);
    }
  });

  it("is unavailable when a pooler violates the protocol, not when the caller does", () => {
    const fatal = Object.assign(serverError("08P01"), { severity: "FATAL" });
    const refused = Object.assign(serverError("08P01"), { severity: "ERROR" });
    expect([sqlFailure(fatal), sqlFailure(refused), sqlState(refused)]).toEqual(["unavailable", "other", "08P01"]);
  });

  it("is found below the error of a query builder", () => {
    const wrapped = new DrizzleQueryError("select 1", [], serverError("40001"));
    expect(sqlState(wrapped)).toBe("40001");
    expect(sqlFailure(new Error("outer", { cause: wrapped }))).toBe("serialization");
  });

  it("is unavailable for errors of the socket, never a SQLSTATE", () => {
    for (const code of ["ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "ENOTFOUND", "EPIPE"]) {
      const error = Object.assign(new Error(`write ${code}`), { code, errno: -32, syscall: "write" });
      expect(sqlState(error)).toBeUndefined();
      expect(sqlFailure(error)).toBe("unavailable");
    }
  });

  it("tells a missing socket from a missing file", () => {
    expect(sqlFailure(missing("connect"))).toBe("unavailable");
    expect(sqlFailure(missing("open"))).toBe("other");
  });

  it("is commit-unknown even though its cause would be worth a retry", () => {
    for (const cause of [serverError("57P01"), serverError("40001")]) {
      expect(sqlFailure(new CommitUnknownError({ cause }))).toBe("commit-unknown");
    }
  });

  it("is that of the call where no primary took it, whatever its cause is", () => {
    const cause = serverError("28P01");
    const error = new PostgresUnavailableError("refused", [{ host: "db:5432", role: "refused" }], { cause });
    expect([sqlFailure(error), sqlState(error)]).toEqual(["unavailable", "28P01"]);
    expect(sqlFailure(new PostgresUnknownError("evicted", "db:5432"))).toBe("unavailable");
    expect(sqlFailure(new PostgresUnknownError("deadline", "db:5432"))).toBe("timeout");
  });

  it("is other for what is no failure of a database", () => {
    for (const value of [undefined, null, "40001", 40_001, {}, new Error("no"), { code: 40_001 }, { code: "4000" }]) {
      expect(sqlFailure(value)).toBe("other");
      expect(sqlState(value)).toBeUndefined();
    }
  });

  it("is looked for 8 causes deep, also in a ring of causes", () => {
    const ring = new Error("a");
    ring.cause = new Error("b", { cause: ring });
    expect(sqlFailure(ring)).toBe("other");
    expect(sqlState(below(8))).toBe("40001");
    expect(sqlState(below(9))).toBeUndefined();
  });
});
