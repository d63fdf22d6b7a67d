import { InvalidArgumentError } from "@sluice/core";

import { ipText, parseIp, type IpAddress } from "./ip-address.ts";

/** A set of networks. */
export interface Networks {
  /** Whether an address is in one of them. A text that is no address is in none. O(networks). */
  has(address: string): boolean;
}

/** A range of addresses that share their first bits. */
export interface Network {
  readonly address: IpAddress;
  readonly bits: number;
}

const mostNetworks = 1000;

/**
 * Networks in CIDR notation, such as `10.0.0.0/8` and `fd00::/8`, or single addresses.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` for a text that is none, for one with bits set beyond its prefix, and for more
 *   than 1000 of them.
 * @example
 * ```ts
 * import { networks } from "@sluice/http";
 *
 * networks(["10.0.0.0/8", "fd00::/8"]).has("::ffff:10.1.2.3"); // => true
 * ```
 */
export function networks(list: readonly string[]): Networks {
  if (list.length > mostNetworks) {
    throw new InvalidArgumentError("networks", `a list of at most ${mostNetworks}`, list);
  }
  const parsed = list.map(parseNetwork);
  return {
    has(text) {
      const address = parseIp(text);
      return address !== undefined && parsed.some((network) => contains(network, address));
    },
  };
}

/** Whether the address lies in the network. */
export function contains({ address: network, bits }: Network, address: IpAddress): boolean {
  if (network.version !== address.version) return false;
  const width = partBits(address);
  return network.parts.every((part, index) => {
    const ignored = width - Math.min(width, Math.max(0, bits - index * width));
    return part >> ignored === (address.parts[index] ?? 0) >> ignored;
  });
}

/** The address with all bits after the first `bits` cleared. */
export function mask(address: IpAddress, bits: number): IpAddress {
  const width = partBits(address);
  const parts = address.parts.map((part, index) => {
    const cleared = width - Math.min(width, Math.max(0, bits - index * width));
    return (part >> cleared) << cleared;
  });
  return { version: address.version, parts };
}

function partBits({ version }: IpAddress): number {
  return version === 4 ? 8 : 16;
}

/** Bits of a whole address. */
export function addressBits({ version }: IpAddress): number {
  return version === 4 ? 32 : 128;
}

function parseNetwork(text: string): Network {
  const [, addressText = "", bitsText] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const address = parseIp(addressText);
  if (!address) throw noNetwork(text);
  const bits = bitsText === undefined ? addressBits(address) : Number(bitsText) - mappedBits(address, addressText);
  if (bits < 0 || bits > addressBits(address)) throw noNetwork(text);
  const network = mask(address, bits);
  if (contains({ address: network, bits: addressBits(address) }, address)) return { address, bits };
  const expected = `ranges without bits beyond their prefix, as in ${ipText(network)}/${bits}`;
  throw new InvalidArgumentError("networks", expected, text);
}

/** Bits before an IPv4 address that is written as IPv6. */
function mappedBits({ version }: IpAddress, text: string): number {
  return version === 4 && text.includes(":") ? 96 : 0;
}

function noNetwork(text: string): InvalidArgumentError {
  return new InvalidArgumentError("networks", "addresses or CIDR ranges, as in 10.0.0.0/8", text);
}
