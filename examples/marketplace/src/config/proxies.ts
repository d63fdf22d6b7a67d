import { networks, type ClientAddressOptions } from "@sluice/http";

const mostProxies = 32;

/**
 * Which proxies are believed about the client's address: a number of hops, or addresses and CIDR ranges separated by
 * commas. Undefined where it is neither.
 */
export function readProxies(value: string): ClientAddressOptions | undefined {
  if (/^\d{1,2}$/.test(value)) {
    const hops = Number(value);
    return hops >= 1 && hops <= mostProxies ? { hops } : undefined;
  }
  const trusted = value.split(",").map((range) => range.trim());
  try {
    networks(trusted);
    return { trusted };
  } catch {
    // The caller says what is expected instead.
    return undefined;
  }
}
