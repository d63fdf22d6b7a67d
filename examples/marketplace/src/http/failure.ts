/** Where in a request something is wrong. */
export interface FieldProblem {
  /** As in `query.limit` or `params.id`. */
  readonly path: string;
  readonly message: string;
}

/** What a failure may add to its status, code and message. */
export interface FailureOptions extends ErrorOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Joins `code` and `message` in the body's `error`. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** An answer that is an error: thrown anywhere under a handler, rendered in one place. */
export class Failure extends Error {
  override readonly name = "Failure";
  readonly status: number;
  /** Stable, in capitals; clients compare it. */
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(status: number, [code, message]: readonly [code: string, message: string], options: FailureOptions = {}) {
    const { headers = {}, details = {}, ...rest } = options;
    super(message, rest);
    this.status = status;
    this.code = code;
    this.headers = headers;
    this.details = details;
  }
}

/** A request that names something wrong in one or more fields. */
export function invalidFields(fields: readonly FieldProblem[]): Failure {
  const message = fields.map((field) => `${field.path}: ${field.message}`).join("; ");
  return new Failure(400, ["VALIDATION_FAILED", message], { details: { fields } });
}

/** A row, or a route, that is not there. */
export function notFound(what: string): Failure {
  return new Failure(404, ["NOT_FOUND", `${what} not found`]);
}
