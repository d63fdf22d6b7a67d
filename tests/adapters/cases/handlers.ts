import type { HttpHandler } from "@sluice/http";

import type { NativeHandler, Route } from "../framework.ts";

/** A route of the framework's own. */
export function native(method: string, path: string, handler: NativeHandler): Route {
  return { method, path, native: handler };
}

/** A route whose handler no framework owns. */
export function neutral(method: string, path: string, handler: HttpHandler): Route {
  return { method, path, neutral: handler };
}

/** Replies `hello`, with a header of its own. */
export const hello: Route = native("GET", "/hello", ({ reply }) => reply(200, "hello", { "x-own": "handler" }));

/** Replies with the body that the framework has parsed. */
export const echo: Route = native("POST", "/echo", async ({ body, reply }) => reply(200, { parsed: await body() }));

/** What {@link fails} throws. */
export const boom = new Error("The database password is hunter2");

/** Throws {@link boom}. */
export const fails: Route = native("GET", "/fails", () => {
  throw boom;
});

/**
 * Pieces of a body, each after the promise before it in `waits`, if there is one.
 *
 * @yields the bytes of each text.
 */
export async function* pieces(
  texts: readonly string[],
  waits: readonly Promise<unknown>[] = [],
): AsyncGenerator<Uint8Array> {
  for (const [index, text] of texts.entries()) {
    await waits[index - 1];
    yield Buffer.from(text);
  }
}

/**
 * A body that breaks off after its first piece.
 *
 * @yields that piece.
 */
export async function* breaking(): AsyncGenerator<Uint8Array> {
  yield* pieces(["a"]);
  throw boom;
}

/** A promise to be resolved from outside. */
export function gate(): PromiseWithResolvers<void> {
  return Promise.withResolvers();
}
