import { InvalidArgumentError } from "@sluice/core";

import type { HttpRequest } from "../request.ts";
import { forwardedFromRight, type ForwardedHeader } from "./forwarded.ts";
import { normalIp } from "./ip-address.ts";
import { networks, type Networks } from "./network.ts";

/** Which proxies are believed. Give `hops` or `trusted`, or neither to believe none. */
export interface ClientAddressOptions {
  /** How many proxies of yours every request passes: the client is that many entries from the right. From 1 to 32. */
  readonly hops?: number;
  /** The addresses of your proxies, as CIDR ranges: the client is the first from the right that is not one of them. */
  readonly trusted?: readonly string[];
  /** Where your proxies write. Default `x-forwarded-for`. */
  readonly header?: ForwardedHeader;
}

/** What a connection tells of the client. */
export interface ClientConnection extends Pick<HttpRequest, "header"> {
  /** The other end of the connection. Undefined when the runtime does not know, as on a Unix socket. */
  readonly socketAddress: string | undefined;
}

/** Finds the client's address. Undefined when the runtime knows none. */
export type ClientAddress = (connection: ClientConnection) => string | undefined;

const mostEntries = 32;

/**
 * Tells the client's address from the addresses that proxies claim. A client can write whatever it likes into the left
 * of `X-Forwarded-For`, so only what proxies of yours appended on the right counts. Whenever an entry that counts is
 * missing or is no address, the nearest address that is known stands: a spoofed header gains nothing.
 *
 * The result is the one text of the address: without port, brackets and zone, IPv4 where it was mapped into IPv6,
 * IPv6 as of RFC 5952. O(entries that count), at most 32.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` for both `hops` and `trusted`, and for values out of their ranges.
 * @example
 * ```ts
 * import { clientAddress } from "@sluice/http";
 *
 * const header = () => "spoofed, 203.0.113.7";
 * clientAddress({ hops: 1 })({ socketAddress: "10.0.0.1", header }); // => "203.0.113.7"
 * clientAddress()({ socketAddress: "::ffff:192.0.2.1", header }); // => "192.0.2.1"
 * ```
 */
export function clientAddress(options: ClientAddressOptions = {}): ClientAddress {
  const { hops, trusted, header = "x-forwarded-for" } = options;
  if (hops !== undefined && trusted !== undefined) {
    throw new InvalidArgumentError("hops", "given without trusted", hops);
  }
  if (header !== "x-forwarded-for" && header !== "forwarded") {
    throw new InvalidArgumentError("header", '"x-forwarded-for" or "forwarded"', header);
  }
  if (trusted !== undefined) return behindTrusted(networks(trusted), header);
  if (hops === undefined) return ({ socketAddress }) => normal(socketAddress);
  if (!(Number.isSafeInteger(hops) && hops >= 1 && hops <= mostEntries)) {
    throw new InvalidArgumentError("hops", `a whole number from 1 to ${mostEntries}`, hops);
  }
  return behindHops(hops, header);
}

function behindHops(hops: number, header: ForwardedHeader): ClientAddress {
  return (connection) => {
    let left = hops;
    for (const entry of forwardedFromRight(header, connection.header(header) ?? "")) {
      left -= 1;
      if (left === 0) return entry ?? normal(connection.socketAddress);
    }
    return normal(connection.socketAddress);
  };
}

function behindTrusted(proxies: Networks, header: ForwardedHeader): ClientAddress {
  return (connection) => {
    let address = normal(connection.socketAddress);
    if (address === undefined || !proxies.has(address)) return address;
    let left = mostEntries;
    for (const entry of forwardedFromRight(header, connection.header(header) ?? "")) {
      left -= 1;
      if (entry === undefined || left < 0) return address;
      address = entry;
      if (!proxies.has(address)) return address;
    }
    return address;
  };
}

function normal(text: string | undefined): string | undefined {
  return text === undefined ? undefined : normalIp(text);
}
