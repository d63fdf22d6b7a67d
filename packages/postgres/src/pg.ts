import { NestedUseError, TransactionAbortedError, TransactionEndedError } from "./errors.ts";
import { sqlFailure, sqlState } from "./failure.ts";
import { assertOutside, holding } from "./session-scope.ts";
import type { Sql, SqlDatabase, SqlResult, SqlTransaction } from "./sql.ts";
import { commitUnknown, isRefusal, openTransaction, transactionModes } from "./transaction.ts";
import { createTurns, type Turns } from "./turns.ts";

/** What Sluice uses of a result of `pg`. */
export interface PgResult {
  readonly command: string;
  readonly rowCount: number | null;
  readonly rows: unknown[];
}

/** What Sluice uses of a `Client` of `pg`, connected. */
export interface PgClient {
  query(text: string, values?: unknown[]): Promise<PgResult>;
  on(event: "error", listener: (error: Error) => void): unknown;
  removeListener(event: "error", listener: (error: Error) => void): unknown;
  end(): Promise<void>;
  /** `"I"` outside a transaction. Absent in older versions of `pg`, where the checks that need it are left out. */
  getTransactionStatus?(): string | null;
}

/** What Sluice uses of a client that a pool has handed out. */
export interface PgPoolClient extends PgClient {
  release(destroy?: Error | boolean): void;
}

/** What Sluice uses of a `Pool` of `pg`. */
export interface PgPool {
  connect(): Promise<PgPoolClient>;
  readonly totalCount: number;
  readonly options: { readonly max?: number };
}

/** One use of a client: from its checkout to its release, or while it is its turn. */
interface Lease {
  readonly client: PgClient;
  /** A statement got no answer, or its session's last one. A pooled client is destroyed after use. */
  readonly doubt: () => void;
  /** The session may be inside a transaction that nobody will end. The client is destroyed after use. */
  readonly condemn: () => void;
}

type Lend = <T>(use: (lease: Lease) => Promise<T>) => Promise<T>;

/**
 * A database over `pg`.
 *
 * - Of a `Pool`, every transaction and every statement outside of one has a client of its own. A client goes back to
 *   the pool only in a known state: when ROLLBACK failed, the connection broke, or a transaction was left open, it is
 *   destroyed.
 * - A `Client`, or a `PoolClient` that you have checked out, is one session: transactions and statements take turns in
 *   the order of their calls. A call from inside its own transaction throws `ERR_SLUICE_NESTED_USE`, and so does it on
 *   a pool whose `max` is 1.
 *
 * The pool stays yours: end it, and give it an `"error"` listener, which `pg` wants for idle clients.
 */
export function fromPg(client: PgPool | PgClient): SqlDatabase {
  if (!("totalCount" in client)) return database(client, lendOne(client, turnsOf(client)));
  return database(client.options.max === 1 ? client : undefined, (use) => lendPooled(client, use));
}

/**
 * The transaction that you have begun on a client of `pg`, so that a primitive can take part in it. You end it.
 * Used after COMMIT, ROLLBACK or `release()` it throws `ERR_SLUICE_TRANSACTION_ENDED` and sends nothing.
 */
export function fromPgTransaction(client: PgClient): SqlTransaction {
  // The pool gives a client a new release function with every checkout.
  const checkout = releaseOf(client);
  return openTransaction(sessionOf({ client, doubt: ignore }), () => {
    if (client.getTransactionStatus?.() === "I" || releaseOf(client) !== checkout) throw new TransactionEndedError();
  }).handle;
}

function releaseOf(client: PgClient): unknown {
  return "release" in client ? client.release : undefined;
}

function database(single: object | undefined, lend: Lend): SqlDatabase {
  const enter: Lend = async (use) => {
    if (single) assertOutside(single);
    return lend(use);
  };
  return {
    kind: "database",
    query: (text, params) => enter((lease) => sessionOf(lease).query(text, params)),
    script: (text) => enter((lease) => sessionOf(lease).script(text)),
    async transaction(work, options = {}) {
      const modes = transactionModes(options);
      const run = (lease: Lease) => runTransaction(lease, modes, work);
      return enter((lease) => (single ? holding(single, () => run(lease)) : run(lease)));
    },
  };
}

function sessionOf({ client, doubt }: Pick<Lease, "client" | "doubt">): Sql {
  const send = async (text: string, params?: readonly unknown[]): Promise<PgResult> => {
    try {
      return await client.query(text, params && [...params]);
    } catch (error) {
      // A server that ends a session says so, and is heard before its socket closes.
      if (sqlState(error) === undefined || sqlFailure(error) === "unavailable") doubt();
      throw error;
    }
  };
  return {
    async query<Row>(text: string, params?: readonly unknown[]): Promise<SqlResult<Row>> {
      const { rows, rowCount } = await send(text, params);
      return { rows: rows as Row[], rowCount: rowCount ?? 0 };
    },
    async script(text) {
      await send(text);
    },
  };
}

const turnsByClient = new WeakMap<PgClient, Turns>();

// Kept per client, so that two databases over one client still take turns.
function turnsOf(client: PgClient): Turns {
  const turns = turnsByClient.get(client) ?? createTurns();
  turnsByClient.set(client, turns);
  return turns;
}

function lendOne(client: PgClient, turns: Turns): Lend {
  return (use) =>
    turns.take(async () => {
      client.on("error", ignore);
      try {
        return await use({ client, doubt: ignore, condemn: () => void client.end().catch(ignore) });
      } finally {
        client.removeListener("error", ignore);
      }
    });
}

async function lendPooled<T>(pool: PgPool, use: (lease: Lease) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let destroy = false;
  const condemn = (): void => {
    destroy = true;
  };
  // An "error" event without a listener ends the process, and the pool listens only while a client is idle.
  client.on("error", condemn);
  try {
    return await use({ client, doubt: condemn, condemn });
  } finally {
    client.release(destroy || isInTransaction(client));
    client.removeListener("error", condemn);
  }
}

function isInTransaction(client: PgClient): boolean {
  return (client.getTransactionStatus?.() ?? "I") !== "I";
}

async function runTransaction<T>(
  lease: Lease,
  modes: string,
  work: (transaction: SqlTransaction) => Promise<T>,
): Promise<T> {
  if (isInTransaction(lease.client)) throw new NestedUseError("Join it with fromPgTransaction(client).");
  const session = sessionOf(lease);
  await session.script(`begin ${modes}`);
  const open = openTransaction(session);
  let result: T;
  try {
    result = await work(open.handle);
  } catch (error) {
    await open.end();
    await rollBack(lease);
    throw error;
  }
  await open.end();
  await commit(lease, open.failure());
  return result;
}

async function rollBack({ client, condemn }: Lease): Promise<boolean> {
  try {
    await client.query("rollback");
    return true;
  } catch {
    condemn();
    return false;
  }
}

async function commit(lease: Lease, failure: unknown): Promise<void> {
  let command: string;
  try {
    ({ command } = await lease.client.query("commit"));
  } catch (error) {
    // A refusal leaves the session usable. A server that fails while it writes the commit record answers an error, too,
    // and then goes down.
    if (isRefusal(error) && (await rollBack(lease))) throw error;
    lease.condemn();
    throw commitUnknown(error);
  }
  if (command !== "COMMIT") throw new TransactionAbortedError({ cause: failure });
}

function ignore(): void {}
