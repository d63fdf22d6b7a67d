import { z } from "zod";

import { errorAnswers, ok, success } from "../../http/envelope.ts";
import { Failure } from "../../http/failure.ts";
import { bearer, type Guard } from "../../http/principal.ts";
import type { Server } from "../../http/server.ts";
import { importReport } from "./import-report.ts";
import { importRows, mostRows, type ImportedRow, type ImportTarget } from "./import-rows.ts";
import { readLines } from "./lines.ts";

/** Where an import comes in, and where it goes. */
export interface BulkImportOptions<Row extends ImportedRow> {
  readonly url: string;
  readonly tag: string;
  readonly guard: Guard;
  readonly target: ImportTarget<Row>;
}

const contentType = "application/x-ndjson";
const limits = { longestLine: 48 * 1024, all: 16 * 1024 * 1024 };

/** `POST` of one JSON object per line. The body is read as it comes; nothing holds all of it. */
export function bulkImportRoute<Row extends ImportedRow>(
  server: Server,
  { url, tag, guard, target }: BulkImportOptions<Row>,
): void {
  // A scope of its own, so that no other route takes such bodies.
  void server.register(async (scope: Server) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(contentType, (_request, payload, done) => done(null, payload));
    const schema = {
      tags: [tag],
      ...bearer,
      summary: `Add up to ${mostRows} rows, one JSON object per line`,
      consumes: [contentType],
      body: bodyOf(target.row),
      response: { 200: success(importReport), ...errorAnswers },
    };
    scope.post(url, { onRequest: guard, bodyLimit: limits.all, schema }, async (request, reply) => {
      const { raw, id } = request;
      const lines = readLines(raw, limits);
      try {
        const report = await importRows({ lines, target, isAbandoned: () => reply.sent });
        if (reply.sent) request.log.warn({ imported: report.imported }, "An import was given up: it took too long");
        return ok(id, report);
      } catch (error) {
        if (raw.complete || !raw.destroyed) throw error;
        // Nobody is there to answer, and a response that is never sent is not logged.
        request.log.info("An upload broke off");
        throw new Failure(400, ["UPLOAD_ABORTED", "The upload ended before its end"], { cause: error });
      }
    });
  });
}

/** The body in the documentation: a text whose lines are rows. */
function bodyOf(row: z.ZodType) {
  const { $schema: _dialect, ...line } = z.toJSONSchema(row, { io: "input", target: "draft-2020-12" });
  return z.unknown().meta({ type: "string", description: "One row per line", contentSchema: line });
}
