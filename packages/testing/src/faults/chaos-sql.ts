import { createChaos, type ChaosEngine, type ChaosOptions, type Chaotic } from "./chaos.ts";
import { InjectedCommitUnknownError, InjectedSocketError } from "./injected-errors.ts";
import { overlay } from "./overlay.ts";

/** Somewhere to send SQL, as far as chaos knows it. */
export interface SqlPort {
  /** One statement: its text first, then its parameters. */
  query(...call: never[]): Promise<unknown>;
  /** Several statements: their text. */
  script(...call: never[]): Promise<unknown>;
}

/** The port of `@sluice/postgres`, as far as chaos knows it. */
export interface SqlDatabasePort extends SqlPort {
  /** Runs the work, which comes first, between BEGIN and COMMIT. */
  transaction(...call: never[]): Promise<unknown>;
}

/** How {@link chaosSql} chooses its faults. */
export interface ChaosSqlOptions extends ChaosOptions {
  /**
   * Whether each statement inside a transaction is a call, too. There, a connection that is lost takes the transaction
   * with it, and nothing is resent or reordered. Default `false`: a transaction is one call.
   */
  readonly statements?: boolean;
}

/**
 * A database with faults. Errors are those of a client whose connection is refused (`ECONNREFUSED`) or lost
 * (`ECONNRESET`), and `ERR_SLUICE_COMMIT_UNKNOWN` where a transaction was committed and the answer is lost. A
 * transaction that is refused or hangs does so before BEGIN; one that is duplicated runs its work twice. What the work
 * throws reaches the caller whatever the fault: the transaction is rolled back, and there was no COMMIT.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` naming the option.
 * @example
 * ```ts
 * import { chaosSql } from "@sluice/testing/faults";
 *
 * const statements: string[] = [];
 * const run = async (text: string) => statements.push(text);
 * const db = {
 *   query: run,
 *   script: run,
 *   transaction: <T>(work: (tx: { query: typeof run }) => Promise<T>): Promise<T> => work({ query: run }),
 * };
 * const faulty = chaosSql(db, { faults: ["refuse", "duplicate"] });
 * await faulty.query("select 1").catch((error: { code: string }) => error.code); // => "ECONNREFUSED"
 * await faulty.query("select 2");
 * statements; // => ["select 2", "select 2"]
 * ```
 */
export function chaosSql<Database extends SqlDatabasePort>(
  db: Database,
  options: ChaosSqlOptions = {},
): Database & Chaotic {
  const { statements = false, ...rest } = options;
  const engine = createChaos(rest);
  const port = db as unknown as OpenDatabase;
  return overlay(db, {
    chaos: engine.chaos,
    query: outside(engine, port, "query"),
    script: outside(engine, port, "script"),
    transaction: (work: Work, ...more: unknown[]) => {
      const { watched, threw } = watch(statements ? faultyWork(engine, work) : work);
      return engine.perform({
        operation: "transaction",
        subject: "transaction",
        work: () => port.transaction(watched, ...more),
        refused: connectionRefused,
        lost: () => new InjectedCommitUnknownError(),
        gaveUp: connectionLost,
        keeps: threw,
      });
    },
  });
}

/** Tells errors of the work from those of COMMIT: after the former, there is no answer to lose. */
function watch(work: Work) {
  const thrown = new Set<unknown>();
  const watched: Work = async (transaction) => {
    try {
      return await work(transaction);
    } catch (error) {
      thrown.add(error);
      throw error;
    }
  };
  return { watched, threw: (error: unknown) => thrown.has(error) };
}

type Work = (transaction: OpenSql) => Promise<unknown>;

interface OpenSql {
  query(...args: readonly unknown[]): Promise<unknown>;
  script(...args: readonly unknown[]): Promise<unknown>;
}

interface OpenDatabase extends OpenSql {
  transaction(work: Work, ...more: readonly unknown[]): Promise<unknown>;
}

const connectionRefused = (): Error => new InjectedSocketError("ECONNREFUSED");
const connectionLost = (): Error => new InjectedSocketError("ECONNRESET");

type Statement = (...args: [string, ...unknown[]]) => Promise<unknown>;

function outside(engine: ChaosEngine, port: OpenSql, operation: "query" | "script"): Statement {
  return (...args) =>
    engine.perform({
      operation,
      subject: args[0],
      work: () => port[operation](...args),
      refused: connectionRefused,
      lost: connectionLost,
    });
}

/** The work on a transaction whose connection can be lost. Once it is, nothing gets through, COMMIT included. */
function faultyWork(engine: ChaosEngine, work: Work): Work {
  return async (transaction) => {
    const lost: Error[] = [];
    const lose = (): Error => {
      lost[0] ??= connectionLost();
      return lost[0];
    };
    const inside = (operation: "query" | "script"): Statement => {
      return async (...args) => {
        if (lost[0]) throw lost[0];
        return engine.perform({
          operation: `transaction.${operation}`,
          subject: args[0],
          work: () => transaction[operation](...args),
          refused: lose,
          lost: lose,
          never: ["duplicate", "reorder"],
        });
      };
    };
    const result = await work(overlay(transaction, { query: inside("query"), script: inside("script") }));
    if (lost[0]) throw lost[0];
    return result;
  };
}
