/** A request as guards see it, whatever the framework. */
export interface HttpRequest {
  /** In capitals, as in `GET`. */
  readonly method: string;
  /** Path and query as the client sent them, as in `/products?sort=price`. */
  readonly url: string;
  /** The path alone, still percent-encoded. */
  readonly path: string;
  /** The pattern that the path matched, as in `/products/:id`. Undefined when no route did, or none has been looked up. */
  readonly route: string | undefined;
  /** The request's one id: header `X-Request-Id` of the reply, `trace_id` of an error, `request_id` of the log. */
  readonly id: string;
  /** The client's address, as trusted proxies tell it. Undefined when the runtime does not know. */
  readonly address: string | undefined;
  /** Who has been authenticated. Always undefined in the stage `address`. */
  readonly principal: string | undefined;
  /** Aborted when the client goes away before its reply is complete. */
  readonly signal: AbortSignal;
  /** The value of a header, named in any case. Values of a repeated header are joined by `, `. */
  header(name: string): string | undefined;
  /**
   * The body, byte for byte as it came; the same bytes at every call.
   *
   * @throws `ERR_SLUICE_HTTP_BODY_NOT_KEPT` where no guard of the route needs it.
   * @throws `ERR_SLUICE_HTTP_BODY_CONSUMED` where something has read it before the guard.
   * @throws `ERR_SLUICE_HTTP_BODY_TOO_LARGE` above the adapter's limit.
   */
  body(): Promise<Uint8Array>;
}
