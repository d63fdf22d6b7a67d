import { InvalidArgumentError } from "@sluice/core";

import { ipText, parseIp } from "./ip-address.ts";
import { addressBits, mask } from "./network.ts";

/** How many leading bits of an address name whoever has it. */
export interface AddressGroupOptions {
  /** From 32 to 128. Default 64, what one subscriber is given at least: a host in it has 2^64 addresses to choose from. */
  readonly ipv6Prefix?: number;
  /** From 8 to 32. Default 32, the address itself. */
  readonly ipv4Prefix?: number;
}

/**
 * The group that an address is counted in: itself for IPv4, its /64 network for IPv6 (RFC 6177 gives a site no less),
 * as in `2001:db8:1:2::/64`. An IPv4 address that is mapped into IPv6 counts as itself. Undefined for a text that is
 * no address. O(1).
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` for a prefix out of its range.
 * @example
 * ```ts
 * import { addressGroup } from "@sluice/http";
 *
 * addressGroup("2001:db8:1:2:3:4:5:6"); // => "2001:db8:1:2::/64"
 * addressGroup("::ffff:203.0.113.7"); // => "203.0.113.7"
 * ```
 */
export function addressGroup(address: string, options: AddressGroupOptions = {}): string | undefined {
  const { ipv6Prefix = 64, ipv4Prefix = 32 } = options;
  checkPrefix("ipv6Prefix", ipv6Prefix, [32, 128]);
  checkPrefix("ipv4Prefix", ipv4Prefix, [8, 32]);
  const parsed = parseIp(address);
  if (!parsed) return undefined;
  const bits = parsed.version === 4 ? ipv4Prefix : ipv6Prefix;
  return bits === addressBits(parsed) ? ipText(parsed) : `${ipText(mask(parsed, bits))}/${bits}`;
}

function checkPrefix(name: string, value: number, [least, most]: readonly [number, number]): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  throw new InvalidArgumentError(name, `a whole number from ${least} to ${most}`, value);
}
