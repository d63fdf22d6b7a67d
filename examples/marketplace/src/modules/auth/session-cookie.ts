/** What a cookie needs to know. */
export interface CookieOptions {
  /** The routes that it is sent to, and no others. */
  readonly path: string;
  readonly maxAgeSeconds: number;
  /** Over HTTPS alone. */
  readonly secure: boolean;
}

const name = "refresh_token";

/**
 * The `Set-Cookie` of a refresh token: scripts cannot read it, and no other site's page sends it. An empty token removes
 * it.
 */
export function sessionCookie(token: string, { path, maxAgeSeconds, secure }: CookieOptions): string {
  const lifetime = `Max-Age=${token === "" ? 0 : maxAgeSeconds}`;
  const attributes = [`Path=${path}`, lifetime, "HttpOnly", "SameSite=Strict", ...(secure ? ["Secure"] : [])];
  return [`${name}=${token}`, ...attributes].join("; ");
}

/** The refresh token in a `Cookie` header. */
export function readSessionCookie(header: string | undefined): string | undefined {
  const prefix = `${name}=`;
  const pair = header?.split(";").find((candidate) => candidate.trim().startsWith(prefix));
  return pair?.trim().slice(prefix.length) || undefined;
}
