import { validateHeaderName, validateHeaderValue } from "node:http";

/** The base URL of an OTLP receiver without a slash at its end, or undefined where it is none. */
export function readCollectorUrl(value: string): string | undefined {
  const url = URL.parse(value);
  if (url === null || !/^https?:$/.test(url.protocol)) return undefined;
  const { username, password, search, hash } = url;
  return username + password + search + hash === "" ? url.href.replace(/\/+$/, "") : undefined;
}

/**
 * Headers as OTEL_EXPORTER_OTLP_HEADERS has them, `name=value,name=value` with percent-encoded values, or undefined
 * where one is no header.
 */
export function readHeaders(value: string): Readonly<Record<string, string>> | undefined {
  try {
    return Object.fromEntries(value.split(",").map(readHeader));
  } catch {
    return undefined;
  }
}

function readHeader(text: string): [name: string, value: string] {
  const split = text.indexOf("=");
  const name = text.slice(0, Math.max(split, 0)).trim();
  const value = decodeURIComponent(text.slice(split + 1).trim());
  validateHeaderName(name);
  validateHeaderValue(name, value);
  return [name, value];
}
