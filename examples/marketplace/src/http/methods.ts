import { METHODS } from "node:http";

import { Failure } from "./failure.ts";
import type { AnyServer } from "./server.ts";

/**
 * Makes every other method of the paths that `routes` registers a 405 with `Allow`, and OPTIONS a 204 with it.
 */
export async function answerOtherMethods(server: Pick<AnyServer, Needed>, routes: () => Promise<void>): Promise<void> {
  const urls = new Set<string>();
  // Node parses CONNECT, but never hands it to a handler.
  const methods = METHODS.filter((method) => method !== "CONNECT");
  for (const method of methods) {
    if (!server.supportedMethods.includes(method)) server.addHttpMethod(method);
  }
  server.addHook("onRoute", ({ url }) => void urls.add(url));
  await routes();
  for (const url of urls) addOtherMethods(server, url, methods);
}

type Needed = "addHook" | "addHttpMethod" | "hasRoute" | "route" | "supportedMethods";

function addOtherMethods(server: Pick<AnyServer, Needed>, url: string, methods: readonly string[]): void {
  const known = methods.filter((method) => server.hasRoute({ method, url }));
  const others = methods.filter((method) => !known.includes(method));
  const allow = [...new Set([...known, "OPTIONS"])].toSorted().join(", ");
  server.route({
    method: others,
    url,
    schema: { hide: true },
    // The hook answers, before a body is read.
    onRequest: async ({ method }, reply) => {
      reply.header("allow", allow);
      if (method === "OPTIONS") return reply.code(204).send();
      throw notAllowed(method, allow);
    },
    handler: ({ method }) => notAllowed(method, allow),
  });
}

function notAllowed(method: string, allow: string): Failure {
  return new Failure(405, ["METHOD_NOT_ALLOWED", `${method} is not allowed here, only ${allow}`]);
}
