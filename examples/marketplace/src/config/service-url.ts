const sslModes = new Set(["disable", "require", "verify-ca", "verify-full"]);

/**
 * A PostgreSQL URL as `pg` is to read it, or undefined where it is none. SQLAlchemy's driver suffix
 * (`postgresql+psycopg://`) is dropped, and `sslmode` means what it means to libpq: `require` encrypts and verifies
 * no certificate. `allow` and `prefer` are refused, because they fall back to plain text without saying so.
 */
export function readPostgresUrl(value: string): string | undefined {
  const url = URL.parse(value.replace(/^(postgres(?:ql)?)\+[a-z0-9_]+:/i, "$1:"));
  if (url === null || !/^postgres(ql)?:$/.test(url.protocol) || url.pathname.length < 2 || !decodes(url))
    return undefined;
  if (url.hostname === "" && !url.searchParams.has("host")) return undefined;
  const sslMode = url.searchParams.get("sslmode");
  if (sslMode === null) return url.href;
  if (!sslModes.has(sslMode)) return undefined;
  url.searchParams.set("uselibpqcompat", "true");
  return url.href;
}

const mostUrls = 16;

/**
 * PostgreSQL URLs separated by commas, each as {@link readPostgresUrl} reads it, or undefined where one is none. A comma
 * inside of one is written %2C.
 */
export function readPostgresUrls(value: string): string[] | undefined {
  const urls = value.split(",").map((url) => readPostgresUrl(url.trim()));
  const known = urls.filter((url) => url !== undefined);
  return known.length === urls.length && urls.length <= mostUrls ? known : undefined;
}

/** A Redis URL, or undefined where it is none. */
export function readRedisUrl(value: string): string | undefined {
  const url = URL.parse(value);
  return url !== null && /^rediss?:$/.test(url.protocol) && url.hostname !== "" && decodes(url) ? url.href : undefined;
}

/** The URL of a mail server, or undefined where it is none. */
export function readSmtpUrl(value: string): string | undefined {
  const url = URL.parse(value);
  return url !== null && /^smtps?:$/.test(url.protocol) && url.hostname !== "" && decodes(url) ? url.href : undefined;
}

/** A service's address without what is secret in it: no password, no user, no parameters but `sslmode`. */
export function withoutSecrets(serviceUrl: string): string {
  const { protocol, username, password, host, pathname, searchParams } = new URL(serviceUrl);
  const sslMode = searchParams.get("sslmode");
  const login = username === "" && password === "" ? "" : "***@";
  return `${protocol}//${login}${host}${pathname}${sslMode === null ? "" : `?sslmode=${sslMode}`}`;
}

/** Whether its escapes are valid: `pg` decodes them later, and the error it throws then would show the URL. */
function decodes({ username, password, pathname }: URL): boolean {
  try {
    for (const part of [username, password, pathname]) decodeURIComponent(part);
    return true;
  } catch {
    return false;
  }
}
