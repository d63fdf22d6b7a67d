import { SluiceError } from "@sluice/core";

const mark = Symbol.for("sluice.testing.injected");

/** Whether an error was made by a chaos wrapper, rather than by the server or the client. */
export function isInjected(error: unknown): boolean {
  return error instanceof Error && mark in error;
}

/** What a client reports when a connection is refused or lost. */
export class InjectedSocketError extends Error {
  readonly [mark] = true;
  override readonly name = "InjectedSocketError";
  readonly code: "ECONNREFUSED" | "ECONNRESET";
  readonly syscall: "connect" | "read";

  constructor(code: "ECONNREFUSED" | "ECONNRESET") {
    const syscall = code === "ECONNREFUSED" ? "connect" : "read";
    super(`${syscall} ${code} (injected)`);
    this.code = code;
    this.syscall = syscall;
  }
}

/** What `@sluice/postgres` reports when the answer to COMMIT is lost. */
export class InjectedCommitUnknownError extends SluiceError {
  readonly [mark] = true;
  override readonly code = "ERR_SLUICE_COMMIT_UNKNOWN";

  constructor() {
    super("The answer to COMMIT was lost (injected)", { cause: new InjectedSocketError("ECONNRESET") });
  }
}

/** What `@sluice/redis` reports when a call has certainly had no effect. */
export class InjectedRedisUnavailableError extends SluiceError {
  readonly [mark] = true;
  override readonly code = "ERR_SLUICE_REDIS_UNAVAILABLE";
  readonly applied = "no";
  readonly reason: "not-connected" | "deadline";

  constructor(reason: "not-connected" | "deadline") {
    super(`Redis did not take the call (${reason}, injected)`);
    this.reason = reason;
  }
}

/** What `@sluice/redis` reports when a call may have had its effect. */
export class InjectedRedisUnknownError extends SluiceError {
  readonly [mark] = true;
  override readonly code = "ERR_SLUICE_REDIS_UNKNOWN";
  readonly applied = "unknown";
  readonly reason: "connection-lost" | "deadline";

  constructor(reason: "connection-lost" | "deadline") {
    super(`Redis took the call and did not answer (${reason}, injected)`);
    this.reason = reason;
  }
}
