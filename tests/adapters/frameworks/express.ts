import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";

import { errors, guard, handle, keepBody, type ExpressOptions } from "@sluice/express";
import { unsupportedMediaType } from "@sluice/http";
import express, { type Express, type Request, type RequestHandler, type Response } from "express";

import { scheme, type Answer, type App, type Framework, type Native, type Route } from "../framework.ts";

const users = new WeakMap<Request, string>();

/** Express 5 under `@sluice/express`. */
export const expressFramework: Framework = {
  name: "express",
  async listen(app) {
    if (app.http2) throw new Error("Express 5 serves no HTTP/2.");
    const server = build(app).listen(0, "127.0.0.1");
    await once(server, "listening");
    return {
      port: (server.address() as AddressInfo).port,
      async close() {
        server.closeAllConnections();
        server.close();
        await once(server, "close");
      },
    };
  },
};

function build({ guards = [], routes = [], options = {}, nativeErrors = false }: App): Express {
  const own: ExpressOptions = { ...options, principal: (request) => users.get(request) };
  const app = express();
  for (const each of guards.filter(({ stage }) => stage === "address")) app.use(guard(each, own));
  app.use(authenticate);
  for (const each of guards.filter(({ stage }) => stage === "principal")) app.use(guard(each, own));
  for (const route of routes) mount(app, route, own);
  if (!nativeErrors) app.use(errors(own));
  return app;
}

const authenticate: RequestHandler = (request, _response, next) => {
  const { authorization } = request.headers;
  if (authorization?.startsWith(scheme)) users.set(request, authorization.slice(scheme.length));
  next();
};

const parse = express.json({ verify: keepBody, limit: 1024 });

function mount(app: Express, { method, path, guards = [], native, neutral }: Route, options: ExpressOptions): void {
  const handlers: RequestHandler[] = guards.map((each) => guard(each, options));
  handlers.push(parse);
  if (neutral) handlers.push(handle(neutral, options));
  if (native) {
    handlers.push(async (request, response) => {
      await native(nativeOf(request, response));
    });
  }
  app[method.toLowerCase() as "get"](path, ...handlers);
}

function nativeOf(request: Request, response: Response): Native {
  const answer: Answer = { answer: response };
  return {
    context: request.sluice ?? {},
    path: request.path,
    async body() {
      // Express leaves other types to the handler.
      if (request.body === undefined) throw unsupportedMediaType();
      return request.body as unknown;
    },
    setHeaders: (headers) => void response.set(headers),
    reply(status, body, headers = {}) {
      response.status(status).set(headers);
      if (body === undefined) response.end();
      else response.send(body instanceof Uint8Array ? Buffer.from(body) : body);
      return answer;
    },
    stream(pieces, headers = {}) {
      response.set(headers);
      // A client that leaves is what some cases are about.
      Readable.from(pieces, { objectMode: false })
        .on("error", (error) => response.destroy(error))
        .pipe(response);
      return answer;
    },
  };
}
