import { hasCode } from "@sluice/core";

/**
 * What kind of failure an error of PostgreSQL or its driver is:
 *
 * - `serialization`: a conflict with another transaction (40001, 40P01). Nothing was applied; run it all again.
 * - `timeout`: the statement, the lock or the transaction took longer than it may (57014, 55P03, 25P04, or the
 *   driver's own limit on a query, after which the server may still finish the statement).
 * - `constraint`: the data was refused (23xxx).
 * - `unavailable`: no connection, or none any more (08xxx, 57P01 to 57P05, 53300, 25P03, socket errors, an exhausted
 *   pool). A statement that was under way may have been applied.
 * - `commit-unknown`: the connection was lost during COMMIT. Never rerun on this.
 * - `other`: everything else.
 */
export type SqlFailure = "serialization" | "unavailable" | "timeout" | "constraint" | "commit-unknown" | "other";

const statesOf: Readonly<Record<"serialization" | "unavailable" | "timeout", ReadonlySet<string>>> = {
  serialization: new Set(["40001", "40P01"]),
  timeout: new Set(["57014", "55P03", "25P04"]),
  unavailable: new Set(["57P01", "57P02", "57P03", "57P04", "57P05", "53300", "25P03"]),
};

// A pooler ends a session with it, and the server answers it to a caller's mistake.
const protocolViolation = "08P01";
const unavailableCodes = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ECONNABORTED",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "EHOSTDOWN",
  "ENETUNREACH",
  "ENETDOWN",
  "ENOTFOUND",
  "EAI_AGAIN",
]);

// The drivers give these no code, so the words are all there is. Each is proven against the real driver.
const unavailableWords =
  /^(timeout exceeded when trying to connect|timeout expired|Connection terminated|Client has encountered a connection error|Client was closed|Cannot use a pool after calling end|PGlite is (closed|closing)|driver has already been destroyed)/;
const timeoutWords = /^Query read timeout$/;

// Wrapping is shallow in practice; the bound is for causes that form a ring.
const deepestCause = 8;

/**
 * The five-character SQLSTATE of an error, also where a query builder has wrapped it as a `cause`. `undefined` when
 * the server gave none. Looks at most 8 causes deep.
 *
 * Source: {@link https://www.postgresql.org/docs/current/errcodes-appendix.html | PostgreSQL error codes}.
 */
export function sqlState(error: unknown): string | undefined {
  return firstOf(error, stateOfOne);
}

/** Sorts an error into one of the kinds of {@link SqlFailure}, also where it is wrapped. Looks 8 causes deep. */
export function sqlFailure(error: unknown): SqlFailure {
  return firstOf(error, failureOfOne) ?? "other";
}

function firstOf<Found>(error: unknown, find: (link: object) => Found | undefined): Found | undefined {
  let link = error;
  for (let depth = 0; depth <= deepestCause && typeof link === "object" && link !== null; depth += 1) {
    const found = find(link);
    if (found !== undefined) return found;
    link = "cause" in link ? link.cause : undefined;
  }
  return undefined;
}

function stateOfOne(link: object): string | undefined {
  const code = codeOf(link);
  // EPIPE and others look like a SQLSTATE, but carry the system call that failed.
  return code !== undefined && /^[0-9A-Z]{5}$/.test(code) && !("syscall" in link) ? code : undefined;
}

function failureOfOne(link: object): SqlFailure | undefined {
  const own = failureOfOwn(link);
  if (own !== undefined) return own;
  const state = stateOfOne(link);
  if (state !== undefined) return failureOfState(state, isOnlyRefused(link));
  const code = codeOf(link);
  const message = link instanceof Error ? link.message : "";
  if ((code !== undefined && unavailableCodes.has(code)) || unavailableWords.test(message)) return "unavailable";
  // A Unix socket that is not there.
  if (code === "ENOENT" && "syscall" in link && link.syscall === "connect") return "unavailable";
  return timeoutWords.test(message) ? "timeout" : undefined;
}

/** Whether the server has refused the statement and goes on, as it does when the number of parameters is wrong. */
function isOnlyRefused(link: object): boolean {
  return "severity" in link && link.severity === "ERROR";
}

function failureOfOwn(link: object): SqlFailure | undefined {
  if (hasCode(link, "ERR_SLUICE_COMMIT_UNKNOWN")) return "commit-unknown";
  if (hasCode(link, "ERR_SLUICE_POSTGRES_UNAVAILABLE")) return "unavailable";
  if (!hasCode(link, "ERR_SLUICE_POSTGRES_UNKNOWN")) return undefined;
  return "reason" in link && link.reason === "deadline" ? "timeout" : "unavailable";
}

function failureOfState(state: string, isRefused: boolean): SqlFailure {
  if (state === protocolViolation && isRefused) return "other";
  if (statesOf.serialization.has(state)) return "serialization";
  if (statesOf.timeout.has(state)) return "timeout";
  if (statesOf.unavailable.has(state) || state.startsWith("08")) return "unavailable";
  return state.startsWith("23") ? "constraint" : "other";
}

function codeOf(link: object): string | undefined {
  return "code" in link && typeof link.code === "string" ? link.code : undefined;
}
