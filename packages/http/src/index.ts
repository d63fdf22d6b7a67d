export { adapterSettings, type AdapterOptions, type AdapterSettings } from "./adapter-settings.ts";
export { addressGroup, type AddressGroupOptions } from "./address/address-group.ts";
export {
  clientAddress,
  type ClientAddress,
  type ClientAddressOptions,
  type ClientConnection,
} from "./address/client-address.ts";
export type { ForwardedHeader } from "./address/forwarded.ts";
export { networks, type Networks } from "./address/network.ts";
export {
  bodyTooLarge,
  httpErrorOf,
  internalError,
  malformedJson,
  methodNotAllowed,
  notFound,
  statusError,
  unsupportedMediaType,
} from "./error/error-kinds.ts";
export { errorReply, type ErrorProfile, type ErrorReplyOptions, type ErrorRequest } from "./error/error-reply.ts";
export { failureReply } from "./error/failure-reply.ts";
export { HttpError, isHttpError, type HttpErrorInit } from "./error/http-error.ts";
export { BodyConsumedError, BodyNotKeptError, BodyTooLargeError, SettleTimeoutError } from "./errors.ts";
export { httpEvents, type HttpEvent } from "./events.ts";
export {
  exchangeSettings,
  type ExchangeOptions,
  type ExchangeSettings,
  type RenderError,
} from "./exchange-settings.ts";
export { Exchange } from "./exchange.ts";
export { parseCacheControl, printCacheControl, type CacheDirectives } from "./fields/cache-control.ts";
export { matchesEtag } from "./fields/etag.ts";
export { parseRetryAfter, printRetryAfter } from "./fields/retry-after.ts";
export { parseItems, printItems, type StructuredItem, type StructuredValue } from "./fields/structured-items.ts";
export type {
  GuardContext,
  GuardNeeds,
  HttpGuard,
  Outcome,
  PassVerdict,
  RepliedOutcome,
  ReplyVerdict,
  Settlement,
  StreamedOutcome,
  Verdict,
} from "./guard.ts";
export { guards } from "./guards.ts";
export type { HttpHandler } from "./handler.ts";
export { defaultHeaders, patchHeaders } from "./header-patch.ts";
export type { HeaderPatch, HttpReply, ReplyHead, ReplyHeaders } from "./reply.ts";
export { passReply, type PassedReply, type ReplyBody } from "./pass-reply.ts";
export type { Decision, Release, ReleasedReply } from "./release.ts";
export { requestId } from "./request-id.ts";
export type { HttpRequest } from "./request.ts";
