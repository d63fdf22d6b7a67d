import { HttpError, type HttpErrorInit } from "@sluice/http";

/** Where in a request something is wrong. */
export interface FieldProblem {
  /** As in `query.limit` or `params.id`. */
  readonly path: string;
  readonly message: string;
}

/** What a failure may add to its status, code and message. */
export type FailureOptions = Pick<HttpErrorInit, "headers" | "details" | "detail" | "cause">;

/** An answer that is an error, as this service writes it: with a message, always. */
export class Failure extends HttpError {
  constructor(status: number, [code, message]: readonly [code: string, message: string], options: FailureOptions = {}) {
    super({ ...options, status, code, message });
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
