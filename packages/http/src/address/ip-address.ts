/** An IP address as numbers: four bytes, or eight groups of 16 bits. */
export interface IpAddress {
  readonly version: 4 | 6;
  readonly parts: readonly number[];
}

// The longest text of an address is 45 characters, plus a zone.
const longestText = 128;
const wholeFour = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;
const hexGroup = /^[0-9a-f]{1,4}$/i;
const zone = /^[0-9a-z.:-]+$/i;

/**
 * Reads an IPv4 or IPv6 address (RFC 4291, 2.2). A zone is dropped, and an IPv4 address that is mapped into IPv6 is
 * the IPv4 address: the same host must not have two names. Undefined for anything else. O(1): longer texts are none.
 */
export function parseIp(text: string): IpAddress | undefined {
  if (text.length > longestText) return undefined;
  if (!text.includes(":")) return parseFour(text);
  const [address, zoneId] = splitOnce(text, "%");
  if (zoneId !== undefined && !zone.test(zoneId)) return undefined;
  const groups = parseGroups(address);
  return groups && unmapped(groups);
}

/** The one text of an address that comes in any of its texts. Undefined for what is none. */
export function normalIp(text: string): string | undefined {
  // Most are one of these two, and need no reading.
  const four = text.startsWith("::ffff:") ? text.slice(7) : text;
  if (wholeFour.test(four)) return four;
  const address = parseIp(text);
  return address && ipText(address);
}

/** The one text of an address: dotted decimals, or RFC 5952. */
export function ipText({ version, parts }: IpAddress): string {
  if (version === 4) return parts.join(".");
  const [start, length] = longestZeros(parts);
  if (length < 2) return hex(parts);
  return `${hex(parts.slice(0, start))}::${hex(parts.slice(start + length))}`;
}

function parseFour(text: string): IpAddress | undefined {
  return wholeFour.test(text) ? { version: 4, parts: text.split(".").map(Number) } : undefined;
}

function parseGroups(text: string): readonly number[] | undefined {
  const [left, right] = splitOnce(text, "::");
  if (right === undefined) return exactly(8, groupsOf(left, true));
  const before = groupsOf(left, false);
  const after = groupsOf(right, true);
  if (!before || !after || before.length + after.length > 7) return undefined;
  return [...before, ...Array.from({ length: 8 - before.length - after.length }, () => 0), ...after];
}

function exactly(count: number, groups: readonly number[] | undefined): readonly number[] | undefined {
  return groups?.length === count ? groups : undefined;
}

/** Groups between colons. The last one may be an IPv4 address, where it is the last of the address. */
function groupsOf(text: string, isEnd: boolean): readonly number[] | undefined {
  if (text === "") return [];
  const texts = text.split(":");
  const four = isEnd ? parseFour(texts.at(-1) ?? "") : undefined;
  const hexTexts = four ? texts.slice(0, -1) : texts;
  if (!hexTexts.every((group) => hexGroup.test(group))) return undefined;
  return [...hexTexts.map((group) => Number.parseInt(group, 16)), ...pairs(four?.parts ?? [])];
}

/** Bytes as groups of two. */
function pairs(bytes: readonly number[]): readonly number[] {
  return bytes.flatMap((byte, index) => (index % 2 === 0 ? [byte * 256 + (bytes[index + 1] ?? 0)] : []));
}

function unmapped(groups: readonly number[]): IpAddress {
  const [high = 0, low = 0] = groups.slice(6);
  const isMapped = groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0);
  return isMapped ? { version: 4, parts: [high >> 8, high & 255, low >> 8, low & 255] } : { version: 6, parts: groups };
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const index = text.indexOf(separator);
  return index < 0 ? [text, undefined] : [text.slice(0, index), text.slice(index + separator.length)];
}

function hex(groups: readonly number[]): string {
  return groups.map((group) => group.toString(16)).join(":");
}

/** Where the first longest run of zeros begins, and its length. */
function longestZeros(groups: readonly number[]): [start: number, length: number] {
  let best: [number, number] = [0, 0];
  let length = 0;
  for (const [index, group] of groups.entries()) {
    length = group === 0 ? length + 1 : 0;
    if (length > best[1]) best = [index - length + 1, length];
  }
  return best;
}
