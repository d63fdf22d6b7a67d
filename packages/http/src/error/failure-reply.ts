import { httpEvents } from "../events.ts";
import { renderSafely, type ExchangeSettings } from "../exchange-settings.ts";
import type { HttpReply } from "../reply.ts";
import type { HttpRequest } from "../request.ts";

/** The reply for what a handler or a parser threw. What is no fault of the client is the event `request-failed`, too. */
export function failureReply(settings: ExchangeSettings, error: unknown, request: HttpRequest): HttpReply {
  const reply = renderSafely(settings, error, request);
  if (reply.status >= 500) httpEvents.publish({ type: "request-failed", requestId: request.id, error });
  return reply;
}
