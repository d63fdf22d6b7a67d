import { InvalidArgumentError } from "@sluice/core";

import { CommitUnknownError, TransactionAbortedError, TransactionEndedError } from "./errors.ts";
import { sqlFailure, sqlState } from "./failure.ts";
import type { Isolation, Sql, SqlTransaction, TransactionOptions } from "./sql.ts";
import { postgresEvents } from "./telemetry.ts";
import { createTurns } from "./turns.ts";

/** A transaction handle, and what its owner needs to end it. */
export interface OpenTransaction {
  readonly handle: SqlTransaction;
  /** Refuses further statements and waits for the one under way. */
  end(): Promise<void>;
  /** The last error of a statement that was not merely refused because an earlier one had failed. */
  failure(): unknown;
}

/** Hands a session to the work of one transaction, one statement at a time. */
export function openTransaction(session: Sql, assertOpen: () => void = () => undefined): OpenTransaction {
  const turns = createTurns();
  let ended = false;
  let failure: unknown;
  const send = <T>(statement: () => Promise<T>): Promise<T> =>
    turns.take(async () => {
      if (ended) throw new TransactionEndedError();
      assertOpen();
      try {
        return await statement();
      } catch (error) {
        if (failure === undefined || sqlState(error) !== "25P02") failure = error;
        throw error;
      }
    });
  return {
    handle: {
      kind: "transaction",
      query: (text, params) => send(() => session.query(text, params)),
      script: (text) => send(() => session.script(text)),
    },
    end() {
      ended = true;
      return turns.drained();
    },
    failure: () => failure,
  };
}

const isolations: ReadonlySet<Isolation> = new Set<Isolation>(["read committed", "repeatable read", "serializable"]);

/** The modes as SQL, to follow BEGIN or SET TRANSACTION. Empty when nothing was asked for. */
export function transactionModes({ isolation, readOnly }: TransactionOptions): string {
  if (isolation !== undefined && !isolations.has(isolation)) {
    throw new InvalidArgumentError("isolation", [...isolations].map((name) => `"${name}"`).join(" or "), isolation);
  }
  const modes = isolation === undefined ? [] : [`isolation level ${isolation}`];
  if (readOnly !== undefined) modes.push(readOnly ? "read only" : "read write");
  return modes.join(" ");
}

/** Begins a transaction by means of the driver, runs `body` in it and ends it, as every query builder can. */
export type RunByDriver<Raw> = <T>(body: (raw: Raw) => Promise<T>) => Promise<T>;

/** Runs `work` in a transaction that the driver begins and ends by itself, and says what became of it. */
export async function transactionByDriver<Raw, T>(
  run: RunByDriver<Raw>,
  sessionOf: (raw: Raw) => Sql,
  work: (transaction: SqlTransaction) => Promise<T>,
): Promise<T> {
  const ending: { kind: "running" | "returned" | "thrown"; error?: unknown } = { kind: "running" };
  const body = async (raw: Raw): Promise<T> => {
    const session = sessionOf(raw);
    const open = openTransaction(session);
    try {
      const result = await work(open.handle);
      await open.end();
      if (open.failure() !== undefined) await assertUsable(session, open.failure());
      ending.kind = "returned";
      return result;
    } catch (error) {
      await open.end();
      Object.assign(ending, { kind: "thrown", error });
      throw error;
    }
  };
  try {
    return await run(body);
  } catch (error) {
    // A driver may throw the error of its ROLLBACK instead.
    if (ending.kind === "thrown") throw ending.error;
    throw ending.kind === "returned" && !isRefusal(error) ? commitUnknown(error) : error;
  }
}

// Only a statement that failed can have aborted the transaction, so the happy path pays nothing for the question.
async function assertUsable(session: Sql, failure: unknown): Promise<void> {
  try {
    await session.query("select 1");
  } catch (error) {
    throw sqlState(error) === "25P02" ? new TransactionAbortedError({ cause: failure }) : error;
  }
}

/** The error for a COMMIT without an answer, announced. */
export function commitUnknown(cause: unknown): CommitUnknownError {
  postgresEvents.publish({ type: "commit-unknown" });
  return new CommitUnknownError({ cause });
}

/** Whether the server answered COMMIT, and its answer was no. Anything else leaves the outcome open. */
export function isRefusal(error: unknown): boolean {
  const state = sqlState(error);
  // 40003 is statement_completion_unknown, which poolers and proxies send.
  return state !== undefined && state !== "40003" && sqlFailure(error) !== "unavailable";
}
