import { exchangeSettings, renderSafely } from "../exchange-settings.ts";
import { Exchange } from "../exchange.ts";
import type { HttpGuard } from "../guard.ts";
import { defaultHeaders } from "../header-patch.ts";
import { joined } from "../held-body.ts";
import type { ReleasedReply } from "../release.ts";
import type { HttpReply } from "../reply.ts";
import type { HttpRequest } from "../request.ts";

/** A handler in a test, or the reply that it would give. */
export type TestHandler = HttpReply | (() => HttpReply | Promise<HttpReply>);

/**
 * Sends a request through a guard to a handler, as an adapter would, without a server: the reply that the client gets.
 * What the handler throws is rendered as every error is. The guard has settled by then, if it holds the reply.
 *
 * @example
 * ```ts
 * import type { HttpGuard } from "@sluice/http";
 * import { testRequest, throughGuard } from "@sluice/http/testing";
 *
 * const closed: HttpGuard = {
 *   name: "closed",
 *   stage: "address",
 *   needs: { requestBody: false, reply: "nothing" },
 *   before: () => ({ reply: { status: 503, headers: { "retry-after": "60" } } }),
 * };
 * (await throughGuard(closed, testRequest(), { status: 200, headers: {} })).status; // => 503
 * ```
 */
export async function throughGuard(guard: HttpGuard, request: HttpRequest, handler: TestHandler): Promise<HttpReply> {
  const settings = exchangeSettings();
  const exchange = new Exchange(guard, request, settings);
  const decision = await exchange.begin();
  if (decision === undefined) throw new Error("This client never goes away.");
  if ("reply" in decision) return decision.reply;
  let reply: HttpReply;
  try {
    reply = typeof handler === "function" ? await handler() : handler;
  } catch (error) {
    exchange.fail(error);
    reply = renderSafely(settings, error, request);
  }
  return sent(exchange, { ...reply, headers: defaultHeaders(reply.headers, decision.headers) });
}

async function sent(exchange: Exchange, reply: HttpReply): Promise<HttpReply> {
  if (!exchange.isOpen || exchange.flows) {
    exchange.head(reply);
    exchange.end(reply.body);
    return reply;
  }
  const { promise, resolve } = Promise.withResolvers<ReleasedReply | undefined>();
  exchange.hold(resolve);
  exchange.head(reply);
  exchange.end(reply.body);
  const released = await promise;
  if (!released?.complete) return reply;
  return { ...released.head, body: released.chunks.length === 0 ? undefined : joined(released.chunks) };
}
