import { once } from "node:events";
import { createServer as createHttp2Server } from "node:http2";
import type { AddressInfo } from "node:net";

import { serve, type HttpBindings } from "@hono/node-server";
import { getConnInfo } from "@hono/node-server/conninfo";
import { errors, guard, handle, type HonoOptions } from "@sluice/hono";
import { bodyTooLarge, unsupportedMediaType } from "@sluice/http";
import { Hono, type Context, type Handler, type MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { GetConnInfo } from "hono/conninfo";

import {
  scheme,
  type App,
  type Framework,
  type FrameworkName,
  type Native,
  type NativeHeaders,
  type Route,
} from "../framework.ts";

interface Bindings extends Partial<HttpBindings> {
  /** Those of Node's server, where the adapter must not find them. */
  readonly hidden?: HttpBindings;
}
type Env = { Variables: { user: string | undefined }; Bindings: Bindings };

/** Hono 4 on Node under `@sluice/hono`. */
export const honoFramework: Framework = honoOn("hono", (bindings) => bindings);

/** The same as on a runtime that has nothing but the Fetch standard. */
export const honoFetchFramework: Framework = honoOn("hono (fetch)", (hidden) => ({ hidden }));

function honoOn(name: FrameworkName, bind: (bindings: HttpBindings) => Bindings): Framework {
  return {
    name,
    async listen(app) {
      const http2 = app.http2 ? { createServer: createHttp2Server } : {};
      const hono = build(app);
      const fetch = (request: Request, bindings: unknown) => hono.fetch(request, bind(bindings as HttpBindings));
      const server = serve({ fetch, port: 0, hostname: "127.0.0.1", ...http2 });
      await once(server, "listening");
      return {
        port: (server.address() as AddressInfo).port,
        async close() {
          if ("closeAllConnections" in server) server.closeAllConnections();
          server.close();
          if (!app.http2) await once(server, "close");
        },
      };
    },
  };
}

const connInfo: GetConnInfo = ({ env }) =>
  getConnInfo({ env: (env as Bindings).hidden ?? (env as HttpBindings) } as Context);

function build({ guards = [], routes = [], options = {}, nativeErrors }: App): Hono<Env> {
  const own: HonoOptions = { ...options, connInfo, principal: (c) => c.get("user") as string | undefined };
  const app = new Hono<Env>();
  if (!nativeErrors) errors(app, own);
  for (const each of guards.filter(({ stage }) => stage === "address")) app.use(guard(each, own));
  app.use(authenticate);
  for (const each of guards.filter(({ stage }) => stage === "principal")) app.use(guard(each, own));
  for (const route of routes) mount(app, route, own);
  return app;
}

const authenticate: MiddlewareHandler<Env> = async (c, next) => {
  const authorization = c.req.header("authorization");
  if (authorization?.startsWith(scheme)) c.set("user", authorization.slice(scheme.length));
  await next();
};

const limit = bodyLimit({
  maxSize: 1024,
  onError: () => {
    throw bodyTooLarge(1024);
  },
});

function mount(app: Hono<Env>, { method, path, guards = [], native, neutral }: Route, options: HonoOptions): void {
  const before = guards.map((each) => guard(each, options));
  const handler: Handler = neutral ? handle(neutral, options) : async (c) => responseOf(c, native);
  app.on(method, [path], ...before, ...(neutral ? [] : [limit]), handler);
}

async function responseOf(c: Context, native: Route["native"]): Promise<Response> {
  if (!native) throw new Error("The route has no handler.");
  const { answer } = await native(nativeOf(c));
  return answer as Response;
}

function nativeOf(c: Context): Native {
  return {
    context: c.get("sluice") ?? {},
    path: c.req.path,
    async body() {
      // Hono leaves the type to the handler.
      if (!c.req.header("content-type")?.startsWith("application/json")) throw unsupportedMediaType();
      return c.req.json();
    },
    setHeaders: (headers) => setHeaders(c, headers),
    reply(status, body, headers = {}) {
      setHeaders(c, headers);
      c.status(status as 200);
      if (body === undefined) return { answer: c.body(null) };
      if (typeof body === "string") return { answer: headers["content-type"] ? c.body(body) : c.text(body) };
      return { answer: body instanceof Uint8Array ? c.body(body as Uint8Array<ArrayBuffer>) : c.json(body) };
    },
    stream(pieces, headers = {}) {
      setHeaders(c, headers);
      return { answer: c.body(ReadableStream.from(pieces) as ReadableStream) };
    },
  };
}

function setHeaders(c: Context, headers: NativeHeaders): void {
  for (const [name, value] of Object.entries(headers)) {
    for (const [index, each] of [value].flat().entries()) c.header(name, each, { append: index > 0 });
  }
}
