import { Failure } from "../../http/failure.ts";

/** Why somebody is not let in. */
export type RefusalCode =
  | "UNAUTHENTICATED"
  | "TOKEN_EXPIRED"
  | "TOKEN_INVALID"
  | "INVALID_CREDENTIALS"
  | "REFRESH_INVALID";

const realm = 'Bearer realm="marketplace"';

/** A 401 with its challenge (RFC 6750, 3). */
export function unauthenticated(code: RefusalCode, message: string): Failure {
  const challenge = code.startsWith("TOKEN_") ? `${realm}, error="invalid_token"` : realm;
  return new Failure(401, [code, message], { headers: { "www-authenticate": challenge } });
}
