/** Header values by lower-case name. A list is a header that is sent several times, as `set-cookie`. */
export type ReplyHeaders = Readonly<Record<string, string | readonly string[]>>;

/** What is set on a reply's headers, by lower-case name. `null` removes the header. */
export type HeaderPatch = Readonly<Record<string, string | readonly string[] | null>>;

/** Status and headers of a reply. */
export interface ReplyHead {
  readonly status: number;
  readonly headers: ReplyHeaders;
}

/** A complete reply. */
export interface HttpReply extends ReplyHead {
  /** Text is sent as UTF-8. Undefined is a reply without a body. */
  readonly body?: string | Uint8Array | undefined;
}
