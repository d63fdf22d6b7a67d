import { randomUUID } from "node:crypto";
import type { Socket } from "node:net";

import type { ConnectionError } from "fastify";

import { errorOf } from "./error-answer.ts";

type Answer = readonly [status: string, code: string, message: string];

const malformed: Answer = ["400 Bad Request", "MALFORMED_REQUEST", "This is not an HTTP/1.1 request"];
const answers: Readonly<Record<string, Answer>> = {
  HPE_HEADER_OVERFLOW: ["431 Request Header Fields Too Large", "HEADERS_TOO_LARGE", "URL and headers are too large"],
  ERR_HTTP_REQUEST_TIMEOUT: ["408 Request Timeout", "REQUEST_TIMEOUT", "The request did not arrive in time"],
};

/** Answers what Node's parser refused, so that it never became a request. The connection is closed. */
export function answerMalformedRequest(error: ConnectionError, socket: Socket): void {
  if (error.code === "ECONNRESET" || socket.destroyed || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, code, message] = answers[error.code] ?? malformed;
  const traceId = randomUUID();
  const body = JSON.stringify(errorOf({ code, message, details: {} }, traceId));
  const head = [
    `HTTP/1.1 ${status}`,
    "content-type: application/json; charset=utf-8",
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${traceId}`,
    "cache-control: no-store",
    "connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
}
