import { SluiceError } from "@sluice/core";

/**
 * The work returned although one of its statements had failed, so PostgreSQL rolled back where COMMIT was asked for.
 * Nothing was applied. `cause` is the last error of a statement, where it is known.
 */
export class TransactionAbortedError extends SluiceError {
  override readonly code = "ERR_SLUICE_TRANSACTION_ABORTED";

  constructor(options?: ErrorOptions) {
    super(
      "The transaction was rolled back, not committed: a statement in it had failed and the work went on as if it had not. " +
        "Let the error out of the work, or guard the statement with a savepoint.",
      options,
    );
  }
}

/**
 * The connection was lost while COMMIT was under way: the transaction is either applied or not. Sluice never reruns
 * it. Read back what the work would have written, by a key that the caller chose, before trying again.
 */
export class CommitUnknownError extends SluiceError {
  override readonly code = "ERR_SLUICE_COMMIT_UNKNOWN";

  constructor(options?: ErrorOptions) {
    super("The connection was lost during COMMIT: the transaction may or may not have been applied.", options);
  }
}

/** A transaction handle was used after its transaction had ended. Nothing was sent. */
export class TransactionEndedError extends SluiceError {
  override readonly code = "ERR_SLUICE_TRANSACTION_ENDED";

  constructor(options?: ErrorOptions) {
    super("The transaction has ended. Await every statement before the work returns, and keep no handle.", options);
  }
}

/** A call that could only wait for itself, or would begin a transaction inside a transaction. Nothing was sent. */
export class NestedUseError extends SluiceError {
  override readonly code = "ERR_SLUICE_NESTED_USE";

  /** @param advice - What to do instead, as a sentence. */
  constructor(advice: string) {
    super(`Already inside a transaction of this session. ${advice}`);
  }
}
