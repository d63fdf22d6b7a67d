import { type Clock, type Random, systemClock, traceChannel } from "@sluice/core";
import {
  type RetryOptions,
  type SqlDatabase,
  type SqlTransaction,
  type TransactionOptions,
  type TransactionTrace,
  withTransaction,
} from "@sluice/postgres";
import { createFakeClock } from "@sluice/testing";
import { describe, expect, it } from "vitest";

import { postgresEventsOf } from "./support/events.ts";
import { thrownBy } from "./support/thrown.ts";

function conflict(state = "40001"): Error {
  return Object.assign(new Error("could not serialize access"), { code: state });
}

const handle: SqlTransaction = {
  kind: "transaction",
  query: () => Promise.resolve({ rows: [], rowCount: 0 }),
  script: () => Promise.resolve(),
};

/** A database that runs the work and remembers how it was asked to. */
function recordingDatabase(): SqlDatabase & { readonly begun: TransactionOptions[] } {
  const begun: TransactionOptions[] = [];
  return {
    ...handle,
    kind: "database",
    begun,
    transaction: (work, options = {}) => {
      begun.push(options);
      return work(handle);
    },
  };
}

function fixedRandom(float: number): Random {
  return { float: () => float, integer: (from) => from, bytes: (length) => new Uint8Array(length) };
}

/** A clock whose timers run at once, and that remembers what they were to wait. */
function impatientClock(): { readonly clock: Clock; readonly waits: number[] } {
  const waits: number[] = [];
  const schedule: Clock["schedule"] = (delayMs, call) => {
    waits.push(delayMs);
    queueMicrotask(call);
    return { cancel: () => undefined };
  };
  return { clock: { ...systemClock, schedule }, waits };
}

/** Fails with a conflict until the given attempt. */
function succeedAt(last: number): (tx: SqlTransaction, run: { attempt: number }) => Promise<number> {
  return async (_, { attempt }) => {
    if (attempt < last) throw conflict();
    return attempt;
  };
}

describe("a transaction that meets conflicts", () => {
  it("waits a random share of a bound that doubles up to its limit", async () => {
    const retried = postgresEventsOf("transaction-retried");
    const { clock, waits } = impatientClock();
    const options = { attempts: 6, baseDelayMs: 100, maxDelayMs: 500, clock, random: fixedRandom(0.5) };
    expect(await withTransaction(recordingDatabase(), succeedAt(6), options)).toBe(6);
    expect(waits).toEqual([50, 100, 200, 250, 250]);
    expect(retried()).toEqual(
      waits.map((delayMs, index) => ({ type: "transaction-retried", attempt: index + 1, sqlState: "40001", delayMs })),
    );
  });

  it("waits below 20 ms at first and below 1 s at last unless told otherwise", async () => {
    const { clock, waits } = impatientClock();
    await withTransaction(recordingDatabase(), succeedAt(8), { attempts: 8, clock, random: fixedRandom(0.999_999) });
    expect(waits.map((delayMs) => Math.round(delayMs))).toEqual([20, 40, 80, 160, 320, 640, 1000]);
  });

  it("throws the last conflict as it was, after 5 attempts", async () => {
    const gaveUp = postgresEventsOf("transaction-gave-up");
    const conflicts: Error[] = [];
    const work = async (): Promise<never> => {
      const error = conflict("40P01");
      conflicts.push(error);
      throw error;
    };
    const error = await thrownBy(withTransaction(recordingDatabase(), work, { baseDelayMs: 0 }));
    expect(conflicts).toHaveLength(5);
    expect(error).toBe(conflicts[4]);
    expect(gaveUp()).toEqual([{ type: "transaction-gave-up", attempts: 5, sqlState: "40P01" }]);
  });

  it("runs only once when any other error is thrown", async () => {
    for (const state of ["23505", "57P01", "57014", "25P02"]) {
      const db = recordingDatabase();
      const error = conflict(state);
      expect(await thrownBy(withTransaction(db, () => Promise.reject(error)))).toBe(error);
      expect(db.begun).toHaveLength(1);
    }
  });

  it("begins every attempt in the isolation it was asked for", async () => {
    const db = recordingDatabase();
    await withTransaction(db, succeedAt(3), { isolation: "serializable", readOnly: true, baseDelayMs: 0 });
    expect(db.begun).toHaveLength(3);
    expect(db.begun).toEqual(
      db.begun.map(() => expect.objectContaining({ isolation: "serializable", readOnly: true })),
    );
  });

  it("stops during a back-off when its signal aborts, and leaves no timer", async () => {
    const clock = createFakeClock();
    const controller = new AbortController();
    const db = recordingDatabase();
    const options = { clock, random: fixedRandom(0.9), signal: controller.signal };
    const outcome = thrownBy(withTransaction(db, succeedAt(2), options));
    await clock.advance(0);
    expect(clock.pendingTimers).toBe(1);
    const reason = new Error("shutting down");
    controller.abort(reason);
    expect(await outcome).toBe(reason);
    expect(clock.pendingTimers).toBe(0);
    expect(db.begun).toHaveLength(1);
  });

  it("does not begin at all under an aborted signal", async () => {
    const db = recordingDatabase();
    await thrownBy(withTransaction(db, succeedAt(1), { signal: AbortSignal.abort() }));
    expect(db.begun).toHaveLength(0);
  });
});

describe("withTransaction", () => {
  it("is traced once for all its attempts", async () => {
    const traces = traceChannel<TransactionTrace>("sluice:postgres:transaction");
    const seen: unknown[] = [];
    const stop = traces.subscribe({ asyncEnd: ({ isolation, attempt }) => seen.push({ isolation, attempt }) });
    await withTransaction(recordingDatabase(), succeedAt(3), { isolation: "serializable", baseDelayMs: 0 });
    stop();
    expect(seen).toEqual([{ isolation: "serializable", attempt: 3 }]);
  });

  it("refuses a handle that is a transaction already", async () => {
    const joined = handle as unknown as SqlDatabase;
    expect(await thrownBy(withTransaction(joined, succeedAt(1)))).toMatchObject({ code: "ERR_SLUICE_NESTED_USE" });
  });

  it.each<[keyof RetryOptions, RetryOptions]>([
    ["attempts", { attempts: 0 }],
    ["attempts", { attempts: 1.5 }],
    ["attempts", { attempts: NaN }],
    ["baseDelayMs", { baseDelayMs: -1 }],
    ["baseDelayMs", { baseDelayMs: Infinity }],
    ["maxDelayMs", { maxDelayMs: NaN }],
    ["isolation", { isolation: "snapshot" as "serializable" }],
  ])("refuses an invalid %s before it begins: %j", async (argument, options) => {
    const db = recordingDatabase();
    const error = await thrownBy(withTransaction(db, succeedAt(1), options));
    expect(error).toMatchObject({ code: "ERR_SLUICE_INVALID_ARGUMENT", argument });
    expect(db.begun).toHaveLength(0);
  });
});
