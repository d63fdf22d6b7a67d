import { sqlFailure, type SqlFailure } from "@sluice/postgres";
import type { FastifyError } from "fastify";
import { hasZodFastifySchemaValidationErrors } from "fastify-type-provider-zod";

import { Failure, invalidFields } from "./failure.ts";

/** Seconds after which a client may try again when the database could not answer: a lost one is looked for as often. */
const retryAfterSeconds = "1";

const known: Readonly<Record<string, Answer>> = {
  FST_ERR_CTP_INVALID_JSON_BODY: [400, "MALFORMED_JSON", "The body is not valid JSON"],
  FST_ERR_CTP_EMPTY_JSON_BODY: [400, "MALFORMED_JSON", "The body is empty, but its type is JSON"],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: [400, "MALFORMED_REQUEST", "The body's length is not its Content-Length"],
  FST_ERR_CTP_BODY_TOO_LARGE: [413, "BODY_TOO_LARGE", "The body is too large"],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [415, "UNSUPPORTED_MEDIA_TYPE", "The body must be application/json"],
  FST_ERR_BAD_URL: [400, "MALFORMED_URL", "The URL is not valid"],
  FST_ERR_MAX_PARAM_LENGTH: [414, "URL_TOO_LONG", "A part of the URL is too long"],
  ERR_SLUICE_INVENTORY_UNAVAILABLE: [503, "DATABASE_UNAVAILABLE", "The database cannot answer at the moment"],
  ERR_SLUICE_INVENTORY_UNKNOWN: [500, "OUTCOME_UNKNOWN", "It was or was not done: look before you try again"],
  ERR_SLUICE_INVENTORY_DEADLINE: [503, "OVERLOADED", "Too many want this at the moment. Nothing is held for you"],
  ERR_SLUICE_INVENTORY_OVERLOADED: [503, "OVERLOADED", "Too many want this at the moment. Nothing is held for you"],
  ERR_SLUICE_INVENTORY_CLOSED: [503, "OVERLOADED", "This server is stopping. Nothing is held for you"],
  FST_ERR_HANDLER_TIMEOUT: [504, "REQUEST_TIMEOUT", "The request took too long"],
};

const contexts: Readonly<Record<string, string>> = { querystring: "query" };

/** The failure that an error is to the client. What is unknown is a 500 that says nothing about its cause. */
export function failureOf(error: unknown): Failure {
  if (error instanceof Failure) return error;
  if (hasZodFastifySchemaValidationErrors(error)) return invalidRequest(error);
  const [status, code, message] =
    known[codeOf(error)] ?? ofDatabase[sqlFailure(error)] ?? clientFailure(error) ?? internal;
  return new Failure(status, [code, message], {
    cause: error,
    ...(status === 503 ? { headers: { "retry-after": retryAfterSeconds } } : {}),
  });
}

const internal = [500, "INTERNAL_ERROR", "Something went wrong on our side"] as const;

function invalidRequest(error: Pick<FastifyError, "validationContext" | "validation">): Failure {
  const context = error.validationContext ?? "request";
  const problems = (error.validation ?? []).map(({ instancePath, message }) => ({
    path: `${contexts[context] ?? context}${instancePath.replaceAll("/", ".")}`,
    message: message ?? "is not valid",
  }));
  return invalidFields(problems);
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

type Answer = readonly [status: number, code: string, message: string];

const unavailable: Answer = [503, "DATABASE_UNAVAILABLE", "The database cannot answer at the moment"];
const ofDatabase: Readonly<Partial<Record<SqlFailure, Answer>>> = {
  unavailable,
  serialization: unavailable,
  // No Retry-After: who sends it again unseen may do it twice.
  "commit-unknown": [500, "OUTCOME_UNKNOWN", "It was or was not done: look before you try again"],
  timeout: [504, "STATEMENT_TIMEOUT", "The database took too long"],
};

/** What Fastify and its plugins call the client's fault, and is not listed above. */
function clientFailure(error: unknown): Answer | undefined {
  const status = error instanceof Error && "statusCode" in error ? Number(error.statusCode) : 500;
  if (!(status >= 400 && status < 500)) return undefined;
  return error instanceof SyntaxError
    ? [400, "MALFORMED_JSON", "The body is not valid JSON"]
    : [status, "BAD_REQUEST", "The request is not valid"];
}
