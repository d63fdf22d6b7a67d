import { normalIp } from "./ip-address.ts";

/** The headers in which proxies name those before them. */
export type ForwardedHeader = "x-forwarded-for" | "forwarded";

/**
 * The entries of the header from the right, which is where the nearest proxy wrote. Each is the address in it as its
 * one text, or undefined when it has none, as for `unknown` or garbage. Lazy: what lies further left is not looked at.
 *
 * @yields The next entry to the left.
 */
export function* forwardedFromRight(name: ForwardedHeader, value: string): Generator<string | undefined> {
  const quoted = name === "forwarded";
  let end = value.length;
  while (end >= 0) {
    const comma = lastComma(value, end, quoted);
    const entry = value.slice(comma + 1, end).trim();
    yield addressIn(quoted ? forParameter(entry) : entry);
    end = comma;
  }
}

/** Scans from the right, so that a quote which a client left open cannot swallow what proxies wrote after it. */
function lastComma(text: string, end: number, quoted: boolean): number {
  let inQuotes = false;
  for (let index = end - 1; index >= 0; index -= 1) {
    if (quoted && text[index] === '"' && text[index - 1] !== "\\") inQuotes = !inQuotes;
    if (text[index] === "," && !inQuotes) return index;
  }
  return -1;
}

// RFC 7239, 4: pairs of a token and a value, which is quoted where it has colons or brackets.
const forPair = /(?:^|;)\s*for=(?:"([^"\\]*)"|([^\s";,]+))\s*(?:;|$)/i;

function forParameter(element: string): string {
  const [, quoted, bare] = element.length > 512 ? [] : (forPair.exec(element) ?? []);
  return quoted ?? bare ?? "";
}

const bracketed = /^\[([^\]]*)\](?::\d{1,5})?$/;
const fourWithPort = /^([\d.]+):\d{1,5}$/;

/** An address with or without a port, or brackets. */
function addressIn(entry: string): string | undefined {
  if (entry.length > 160) return undefined;
  return normalIp(entry) ?? normalIp(bracketed.exec(entry)?.[1] ?? fourWithPort.exec(entry)?.[1] ?? "");
}
