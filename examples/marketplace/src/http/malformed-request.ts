import { randomUUID } from "node:crypto";
import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";

import type { ConnectionError } from "fastify";

import { unaskedAnswer } from "./error-answer.ts";
import { Failure } from "./failure.ts";

type Answer = readonly [status: number, code: string, message: string];

const malformed: Answer = [400, "MALFORMED_REQUEST", "This is not an HTTP/1.1 request"];
const answers: Readonly<Record<string, Answer>> = {
  HPE_HEADER_OVERFLOW: [431, "HEADERS_TOO_LARGE", "URL and headers are too large"],
  ERR_HTTP_REQUEST_TIMEOUT: [408, "REQUEST_TIMEOUT", "The request did not arrive in time"],
};

/** Answers what Node's parser refused, so that it never became a request. The connection is closed. */
export function answerMalformedRequest(error: ConnectionError, socket: Socket): void {
  if (error.code === "ECONNRESET" || socket.destroyed || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, code, message] = answers[error.code] ?? malformed;
  const { headers, body = "" } = unaskedAnswer(new Failure(status, [code, message]), randomUUID());
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value.toString()}`),
    `content-length: ${Buffer.byteLength(body)}`,
    "connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body.toString()}`);
}
