import { InvalidArgumentError } from "@sluice/core";

import type { ReplyHeaders } from "../reply.ts";

/** What an {@link HttpError} is made of. */
export interface HttpErrorInit {
  /** From 400 to 599. */
  readonly status: number;
  /** Stable, in capitals, as in `OUT_OF_STOCK`: clients compare it. */
  readonly code: string;
  /** For people. Without one the profile `sluice` has no `message`, and the others show the phrase of the status. */
  readonly message?: string;
  /** Headers of the reply, by lower-case name, as in `retry-after`. */
  readonly headers?: ReplyHeaders;
  /** Members that stand beside `code` and `message` in the body. They cannot replace those. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** `type` and `title` of the profile `problem`. Default `about:blank` with the phrase of the status (RFC 9457, 4.2.1). */
  readonly problem?: { readonly type: string; readonly title?: string };
  /** How the profile `detail` says it, where that differs. */
  readonly detail?: { readonly status?: number; readonly message?: string };
  /** For the log. Clients never see it. */
  readonly cause?: unknown;
}

// Shared by all installed copies of this package.
const brand: unique symbol = Symbol.for("sluice.http-error");

/**
 * An answer that is an error: thrown anywhere under a handler, rendered in one place by {@link errorReply}. Its class
 * does not matter, its `code` does.
 *
 * @example
 * ```ts
 * import { HttpError } from "@sluice/http";
 *
 * const soldOut = new HttpError({ status: 409, code: "OUT_OF_STOCK", message: "Out of stock!", details: { left: 0 } });
 * soldOut.code; // => "OUT_OF_STOCK"
 * ```
 */
export class HttpError extends Error {
  override readonly name = "HttpError";
  /** From 400 to 599. */
  readonly status: number;
  /** Stable, in capitals: clients compare it. */
  readonly code: string;
  /** Headers of the reply, by lower-case name. */
  readonly headers: ReplyHeaders;
  /** Members beside `code` in the body. */
  readonly details: Readonly<Record<string, unknown>>;
  /** All that it was made of. */
  readonly init: HttpErrorInit;

  /** @throws `ERR_SLUICE_INVALID_ARGUMENT` for a status or a code that is none. */
  constructor(init: HttpErrorInit) {
    checkStatus("status", init.status);
    if (init.detail?.status !== undefined) checkStatus("detail.status", init.detail.status);
    if (!/^[A-Z][A-Z0-9_]{0,63}$/.test(init.code)) {
      throw new InvalidArgumentError("code", "1 to 64 capitals, digits and _", init.code);
    }
    super(init.message ?? init.code, "cause" in init ? { cause: init.cause } : {});
    Object.defineProperty(this, brand, { value: true });
    this.status = init.status;
    this.code = init.code;
    this.headers = init.headers ?? {};
    this.details = init.details ?? {};
    this.init = init;
  }
}

/** Whether a value is an {@link HttpError}, also one of another installed copy of this package. */
export function isHttpError(error: unknown): error is HttpError {
  return error instanceof Error && brand in error;
}

function checkStatus(name: string, status: number): void {
  if (Number.isSafeInteger(status) && status >= 400 && status <= 599) return;
  throw new InvalidArgumentError(name, "a whole number from 400 to 599", status);
}
