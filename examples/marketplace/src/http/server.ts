import cors from "@fastify/cors";
import { queryOf } from "@sluice/cache/http";
import { requestId, type ErrorProfile } from "@sluice/http";
import fastify, { LogController, type FastifyInstance, type FastifyRequest } from "fastify";
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from "fastify-type-provider-zod";

import { sendFailure } from "./error-answer.ts";
import { failureOf } from "./failure-of.ts";
import { Failure } from "./failure.ts";
import { logOptions, logRequests } from "./log.ts";
import { answerMalformedRequest } from "./malformed-request.ts";

/** The largest body of a request, where its route names no other. Unit: bytes. */
export const bodyLimit = 64 * 1024;

/** What a server needs to know. Units: ms. */
export interface ServerOptions {
  readonly logLevel: string;
  readonly requestTimeoutMs: number;
  /** How errors look to clients that name no other shape. */
  readonly errorProfile: ErrorProfile;
  /** Origins that browsers may call from. None: no CORS headers at all. */
  readonly corsOrigins: readonly string[];
  /** Where log lines go. Default: standard error. */
  readonly logTo?: NodeJS.WritableStream;
}

/** A Fastify instance whose routes have zod schemas. */
export type Server = ReturnType<typeof createInstance>;

/** An HTTP server that answers every request in JSON, also those that no route answers. */
export async function createServer(options: ServerOptions): Promise<Server> {
  const server = createInstance(options);
  server.setValidatorCompiler(validatorCompiler);
  server.setSerializerCompiler(serializerCompiler);
  server.setErrorHandler((error, request, reply) => {
    sendFailure(failureOf(error), { profile: options.errorProfile, request, reply });
  });
  server.setNotFoundHandler(() => {
    throw new Failure(404, ["NOT_FOUND", "No such route"]);
  });
  server.addHook("onRequest", async (request, reply) => {
    reply.headers({ "x-request-id": request.id, ...safeHeaders });
  });
  logRequests(server);
  if (options.corsOrigins.length > 0) await server.register(cors, corsOptions(options.corsOrigins));
  return server;
}

function createInstance({ logLevel, requestTimeoutMs, errorProfile, logTo = process.stderr }: ServerOptions) {
  const instance = fastify({
    bodyLimit,
    requestTimeout: requestTimeoutMs,
    handlerTimeout: requestTimeoutMs,
    // Draining answers what arrives on open connections, and closes them.
    return503OnClosing: false,
    forceCloseConnections: "idle",
    requestIdHeader: false,
    genReqId: (request) => requestId({ header: (name) => request.headers[name]?.toString() }),
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: "request_id" }),
    logger: logOptions(logLevel, logTo),
    clientErrorHandler: answerMalformedRequest,
    // As the cache reads it: what a handler answers is stored under the query that it was asked.
    routerOptions: { maxParamLength: 256, querystringParser: (query) => queryOf({ url: `?${query}` }) },
    frameworkErrors: (error, request, reply) => {
      reply.headers({ "x-request-id": request.id, ...safeHeaders });
      sendFailure(failureOf(error), { profile: errorProfile, request, reply });
    },
  });
  return instance.withTypeProvider<ZodTypeProvider>();
}

// An API's answers are neither pages nor frames, and may be cached only where a route says so.
const safeHeaders = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

/** Answers before a body is read: what has no route needs none, and no body may be larger than the limit. */
export function refuseEarly(server: AnyServer): void {
  server.addHook("onRequest", async (request) => refuse(request));
}

function refuse(request: FastifyRequest): void {
  if (request.is404) throw new Failure(404, ["NOT_FOUND", "No such route"]);
  const longest = request.routeOptions.bodyLimit ?? bodyLimit;
  if (Number(request.headers["content-length"] ?? 0) > longest) {
    throw new Failure(413, ["BODY_TOO_LARGE", `The body is larger than ${longest} bytes`]);
  }
}

function corsOptions(origins: readonly string[]) {
  return {
    origin: [...origins],
    credentials: true,
    methods: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
    exposedHeaders: ["x-request-id", "retry-after"],
    maxAge: 600,
  };
}

/** The instance as plugins see it. */
export type AnyServer = FastifyInstance;
