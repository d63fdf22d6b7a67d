/** What a statement answered. */
export interface SqlResult<Row> {
  readonly rows: Row[];
  /** Rows returned, or rows changed by a statement that returns none. */
  readonly rowCount: number;
}

/** Somewhere to send SQL: a {@link SqlDatabase}, or one {@link SqlTransaction} of it. */
export interface Sql {
  /**
   * Runs one statement. One round trip.
   *
   * Columns come back as the driver parses them, and drivers differ on dates and on numbers that a double cannot
   * hold. Select `text`, `boolean`, `integer`, `double precision`, `jsonb` or `bytea`, which all agree on, and cast
   * the rest: `n::text`.
   *
   * @param text - The statement, with `$1`, `$2` … for `params`.
   * @param params - Strings, finite numbers, booleans, `Uint8Array`, `null`, or arrays of those except bytes.
   */
  query<Row = Record<string, unknown>>(text: string, params?: readonly unknown[]): Promise<SqlResult<Row>>;
  /**
   * Runs several statements, separated by semicolons, without parameters. One round trip. Never build the text from
   * input.
   */
  script(text: string): Promise<void>;
}

/**
 * SQL inside one transaction. It lives as long as the work it was handed to: used later, it throws
 * `ERR_SLUICE_TRANSACTION_ENDED` and sends nothing.
 */
export interface SqlTransaction extends Sql {
  readonly kind: "transaction";
}

/** How much a transaction may see of others. `"read committed"` is PostgreSQL's own default. */
export type Isolation = "read committed" | "repeatable read" | "serializable";

/** How to begin a transaction. What is left out is decided by the server's settings. */
export interface TransactionOptions {
  readonly isolation?: Isolation;
  /** `true` refuses writes, `false` allows them whatever the session's default is. */
  readonly readOnly?: boolean;
}

/** A database: SQL of its own, and transactions. */
export interface SqlDatabase extends Sql {
  readonly kind: "database";
  /**
   * Runs `work` between BEGIN and COMMIT, once. It is rolled back when `work` throws, and the caller gets that error
   * unchanged. To rerun it after a conflict, use {@link withTransaction}. Two round trips more than the work itself.
   *
   * @throws `ERR_SLUICE_TRANSACTION_ABORTED` when the work swallowed the error of a statement: nothing was applied.
   * @throws `ERR_SLUICE_COMMIT_UNKNOWN` when the connection was lost during COMMIT: it may have been applied.
   * @throws `ERR_SLUICE_NESTED_USE` when the database has one session and this call comes from inside its transaction.
   */
  transaction<T>(work: (transaction: SqlTransaction) => Promise<T>, options?: TransactionOptions): Promise<T>;
}
