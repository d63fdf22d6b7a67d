import { BlockList, isIP, SocketAddress } from "node:net";

import { addressGroup, networks } from "@sluice/http";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { ipText, parseIp } from "../src/address/ip-address.ts";
import { seeded } from "./support/seed.ts";

function normal(text: string): string | undefined {
  const address = parseIp(text);
  return address && ipText(address);
}

const hexGroup = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom("0", "1", "ffff", "db8", "2001") },
  fc.integer({ min: 0, max: 0xffff }).map((group) => group.toString(16)),
);
const groups = fc.array(hexGroup, { minLength: 8, maxLength: 8 }).map((all) => all.join(":"));
const squeezed = fc
  .tuple(fc.array(hexGroup, { maxLength: 4 }), fc.array(hexGroup, { maxLength: 4 }))
  .map(([left, right]) => `${left.join(":")}::${right.join(":")}`);
/** Texts of the alphabet of addresses: most are none, and some nearly are. */
const alphabet = fc.string({
  unit: fc.constantFrom(":", ":", ":", ".", ".", "0", "0", "1", "9", "a", "F", "%", "x"),
  maxLength: 24,
});
const anyText = fc.oneof(fc.ipV4(), fc.ipV6(), groups, squeezed, alphabet, fc.string());

describe("an address", () => {
  it.each([
    ["203.0.113.7", "203.0.113.7"],
    ["0.0.0.0", "0.0.0.0"],
    ["::", "::"],
    ["::1", "::1"],
    ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
    ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"],
    ["::ffff:1.2.3.4", "1.2.3.4"],
    ["::FFFF:0102:0304", "1.2.3.4"],
    ["0:0:0:0:0:ffff:1.2.3.4", "1.2.3.4"],
    ["64:ff9b::1.2.3.4", "64:ff9b::102:304"],
    ["fe80::1%eth0", "fe80::1"],
  ])("%s is %s", (text, expected) => {
    expect(normal(text)).toBe(expected);
  });

  it.each([
    "",
    "1.2.3",
    "1.2.3.4.5",
    "01.2.3.4",
    "256.1.1.1",
    "1.2.3.4 ",
    "1.2.3.4%eth0",
    "0x7f.0.0.1",
    "2130706433",
    ":",
    ":::",
    "1::2::3",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7:8::",
    "12345::",
    "g::",
    "::1.2.3.4:5",
    "1.2.3.4::",
    "fe80::1%",
    "fe80::1%a b",
    "[::1]",
    "unknown",
    `::1%${"a".repeat(200)}`,
  ])("%j is none", (text) => {
    expect(normal(text)).toBeUndefined();
  });

  it("is one exactly where Node says so", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        fc.pre(text.length <= 128);
        expect(normal(text) !== undefined).toBe(isIP(text) !== 0);
      }),
      seeded(5000),
    );
  });

  it("has one text, which is that of Node", () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), groups, squeezed), (text) => {
        const known = normal(text);
        fc.pre(known !== undefined);
        const family = isIP(text) === 4 ? "ipv4" : "ipv6";
        const theirs = new SocketAddress({ address: text, family }).address;
        // Node writes the last groups of these as an IPv4 address.
        fc.pre(!/^::(?:ffff:)?[\d.]+$/.test(theirs) || family === "ipv4");
        expect(known).toBe(theirs);
        expect(normal(known ?? "")).toBe(known);
      }),
      seeded(3000),
    );
  });
});

describe("networks", () => {
  it.each([
    ["10.0.0.0/8", "10.255.255.255", true],
    ["10.0.0.0/8", "11.0.0.0", false],
    ["10.0.0.0/8", "::ffff:10.1.2.3", true],
    ["::ffff:10.0.0.0/104", "10.1.2.3", true],
    ["192.0.2.1", "192.0.2.1", true],
    ["192.0.2.1", "192.0.2.2", false],
    ["fd00::/8", "fdff::1", true],
    ["fd00::/8", "fe00::1", false],
    ["0.0.0.0/0", "203.0.113.7", true],
    ["0.0.0.0/0", "::1", false],
    ["::/0", "203.0.113.7", false],
    ["::1", "::1%lo", true],
    ["10.0.0.0/8", "not an address", false],
  ])("%s with %s: %s", (network, address, expected) => {
    expect(networks([network]).has(address)).toBe(expected);
  });

  it.each([
    "",
    "10.0.0.0/33",
    "10.0.0.0/-1",
    "::/129",
    "10.0.0.1/8",
    "::ffff:0.0.0.0/90",
    "10.0.0.0/8/8",
    "10.0.0.0/",
    "a/8",
  ])("refuse %j", (text) => {
    expect(() => networks([text])).toThrow(
      expect.objectContaining({ code: "ERR_SLUICE_INVALID_ARGUMENT", argument: "networks" }),
    );
  });

  it("say what was meant instead of a range with bits beyond its prefix", () => {
    expect(() => networks(["10.1.2.3/8"])).toThrow("10.0.0.0/8");
  });

  it("are bounded", () => {
    expect(() => networks(Array.from({ length: 1001 }, () => "::1"))).toThrow("at most 1000");
  });

  it("hold what Node's block list holds", () => {
    const prefixed = fc.oneof(
      fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 }), fc.constant("ipv4" as const)),
      fc.tuple(groups, fc.integer({ min: 0, max: 128 }), fc.constant("ipv6" as const)),
    );
    fc.assert(
      fc.property(prefixed, fc.nat(127), ([address, bits, family], flipped) => {
        const first = parseIp(address);
        fc.pre(first !== undefined && first.version === (family === "ipv4" ? 4 : 6));
        const width = family === "ipv4" ? 8 : 16;
        const other = {
          ...first,
          parts: first.parts.map((part, index) =>
            Math.floor(flipped / width) === index ? part ^ (1 << (width - 1 - (flipped % width))) : part,
          ),
        };
        const theirs = new BlockList();
        theirs.addSubnet(address, bits, family);
        const base = addressGroup(address, family === "ipv4" ? {} : { ipv6Prefix: 128 });
        expect(base).toBe(ipText(first));
        const own = networks([`${ipText(maskOf(first, bits))}/${bits}`]);
        expect(own.has(ipText(other))).toBe(theirs.check(ipText(other), family));
      }),
      seeded(1000),
    );
  });
});

/** Bit by bit, unlike the code under test. */
function maskOf(
  address: { version: 4 | 6; parts: readonly number[] },
  bits: number,
): { version: 4 | 6; parts: number[] } {
  const width = address.version === 4 ? 8 : 16;
  const parts = address.parts.map((part, index) => {
    let kept = 0;
    for (let bit = 0; bit < width; bit += 1) {
      const place = 1 << (width - 1 - bit);
      if (index * width + bit < bits) kept |= part & place;
    }
    return kept;
  });
  return { version: address.version, parts };
}

describe("addressGroup", () => {
  it.each([
    ["203.0.113.7", {}, "203.0.113.7"],
    ["203.0.113.7", { ipv4Prefix: 24 }, "203.0.113.0/24"],
    ["::ffff:203.0.113.7", {}, "203.0.113.7"],
    ["2001:db8:1:2:3:4:5:6", {}, "2001:db8:1:2::/64"],
    ["2001:db8:1:2:ffff::", {}, "2001:db8:1:2::/64"],
    ["2001:db8:1:2:3:4:5:6", { ipv6Prefix: 48 }, "2001:db8:1::/48"],
    ["2001:db8:1:2:3:4:5:6", { ipv6Prefix: 56 }, "2001:db8:1::/56"],
    ["2001:db8:1:2:3:4:5:6", { ipv6Prefix: 128 }, "2001:db8:1:2:3:4:5:6"],
    ["fe80::1%eth0", {}, "fe80::/64"],
    ["unknown", {}, undefined],
  ])("puts %s, %j, into %s", (address, options, expected) => {
    expect(addressGroup(address, options)).toBe(expected);
  });

  it("gives all 2^64 addresses of a host one group, and another network another", () => {
    fc.assert(
      fc.property(
        fc.array(hexGroup, { minLength: 4, maxLength: 4 }),
        fc.bigInt(0n, 2n ** 64n - 1n),
        (network, host) => {
          const tail = host.toString(16).padStart(16, "0").match(/.{4}/g) ?? [];
          fc.pre(network.some((group) => group !== "0"));
          const group = addressGroup([...network, ...tail].join(":"));
          expect(group).toBe(addressGroup([...network, "0", "0", "0", "0"].join(":")));
          expect(group).toMatch(/\/64$/);
        },
      ),
      seeded(300),
    );
  });

  it.each([
    ["ipv6Prefix", 31],
    ["ipv6Prefix", 129],
    ["ipv6Prefix", 64.5],
    ["ipv4Prefix", 7],
    ["ipv4Prefix", Number.NaN],
  ])("refuses %s of %d", (argument, value) => {
    expect(() => addressGroup("::1", { [argument]: value })).toThrow(
      expect.objectContaining({ code: "ERR_SLUICE_INVALID_ARGUMENT", argument }),
    );
  });
});
