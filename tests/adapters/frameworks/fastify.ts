import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";

import { errors, guard, handle, sluice } from "@sluice/fastify";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";

import { scheme, type Answer, type App, type Framework, type Native, type Route } from "../framework.ts";

declare module "fastify" {
  interface FastifyRequest {
    contractUser?: string;
  }
}

/** Fastify 5 under `@sluice/fastify`. */
export const fastifyFramework: Framework = {
  name: "fastify",
  async listen(app) {
    // Its HTTP/2 instance has a type of its own, and the same methods.
    const server = app.http2
      ? (fastify({ http2: true, bodyLimit: 1024 }) as unknown as FastifyInstance)
      : fastify({ bodyLimit: 1024, forceCloseConnections: true });
    await build(server, app);
    await server.listen({ port: 0, host: "127.0.0.1" });
    return {
      port: (server.server.address() as AddressInfo).port,
      close: () => server.close(),
    };
  },
};

async function build(server: FastifyInstance, { guards = [], routes = [], options = {}, nativeErrors }: App) {
  await server.register(sluice, { ...options, guards, principal: ({ contractUser }) => contractUser });
  if (!nativeErrors) await server.register(errors);
  server.addHook("onRequest", async (request) => {
    const { authorization } = request.headers;
    if (authorization?.startsWith(scheme)) request.contractUser = authorization.slice(scheme.length);
  });
  for (const route of routes) mount(server, route);
}

function mount(server: FastifyInstance, { method, path, guards = [], native, neutral }: Route): void {
  const hooks = {
    onRequest: guards.filter(({ stage }) => stage === "address").map(guard),
    preParsing: guards.filter(({ stage }) => stage === "principal").map(guard),
  };
  if (neutral) server.register(handle({ method, url: path, ...hooks, handler: neutral }));
  if (native) {
    server.route({
      method,
      url: path,
      ...hooks,
      async handler(request, reply) {
        await native(nativeOf(request, reply));
        return reply;
      },
    });
  }
}

function nativeOf(request: FastifyRequest, reply: FastifyReply): Native {
  const answer: Answer = { answer: reply };
  return {
    context: request.sluice,
    path: request.url.split("?", 1)[0] ?? "",
    body: async () => request.body,
    setHeaders: (headers) => void reply.headers(headers),
    reply(status, body, headers = {}) {
      void reply.code(status).headers(headers).send(body);
      return answer;
    },
    stream(pieces, headers = {}) {
      void reply.headers(headers).send(Readable.from(pieces, { objectMode: false }));
      return answer;
    },
  };
}
