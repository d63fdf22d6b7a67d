import { clientAddress, type ClientAddressOptions } from "@sluice/http";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { hostileText } from "./support/hostile.ts";
import { seeded } from "./support/seed.ts";

const proxy = "10.0.0.1";
const proxies = { trusted: ["10.0.0.0/8", "fd00::/8"] };

function find(options: ClientAddressOptions, value?: string, socketAddress: string | undefined = proxy) {
  const header = (name: string) => (name === (options.header ?? "x-forwarded-for") ? value : "192.0.2.99");
  return clientAddress(options)({ socketAddress, header });
}

describe("the client's address", () => {
  it("is the other end of the connection when no proxy is believed", () => {
    expect(find({}, "203.0.113.7")).toBe(proxy);
    expect(find({}, "203.0.113.7", "::ffff:192.0.2.1")).toBe("192.0.2.1");
    expect(clientAddress()({ socketAddress: undefined, header: () => undefined })).toBeUndefined();
    expect(find({}, "203.0.113.7", "/run/app.sock")).toBeUndefined();
  });

  const byHops: [title: string, hops: number, header: string | undefined, expected: string][] = [
    ["one entry", 1, "203.0.113.7", "203.0.113.7"],
    ["spoofed entries on the left", 1, "1.1.1.1, 2.2.2.2, 203.0.113.7", "203.0.113.7"],
    ["two hops", 2, "1.1.1.1, 203.0.113.7, 10.0.0.2", "203.0.113.7"],
    ["as many entries as hops", 2, "203.0.113.7, 10.0.0.2", "203.0.113.7"],
    ["fewer entries than hops", 2, "203.0.113.7", proxy],
    ["no header", 1, undefined, proxy],
    ["an empty header", 1, "", proxy],
    ["an entry that is none", 1, "203.0.113.7, unknown", proxy],
    ["garbage that counts", 2, "'; DROP TABLE, 10.0.0.2", proxy],
    ["garbage that does not count", 1, ",,,<script>,203.0.113.7", "203.0.113.7"],
    ["a port", 1, "203.0.113.7:8080", "203.0.113.7"],
    ["brackets and a port", 1, "[2001:DB8::1]:8080", "2001:db8::1"],
    ["brackets", 1, "[2001:db8::1]", "2001:db8::1"],
    ["a zone", 1, "fe80::1%eth0", "fe80::1"],
    ["a mapped address", 1, "::ffff:203.0.113.7", "203.0.113.7"],
    ["a mapped address in brackets", 1, "[::ffff:203.0.113.7]:1", "203.0.113.7"],
    ["an open bracket", 1, "[2001:db8::1", proxy],
    ["a port that is none", 1, "203.0.113.7:http", proxy],
    ["no blanks", 2, "203.0.113.7,10.0.0.2", "203.0.113.7"],
    ["an entry without end", 1, "1".repeat(100_000), proxy],
  ];
  it.each(byHops)("is found by hops, with %s", (_title, ...[hops, header, expected]) => {
    expect(find({ hops }, header)).toBe(expected);
  });

  it.each([
    ["a client that reaches the server itself", "203.0.113.9", "1.1.1.1", "203.0.113.9"],
    ["one proxy", proxy, "203.0.113.7", "203.0.113.7"],
    ["spoofed entries on the left", proxy, "1.1.1.1, 203.0.113.7", "203.0.113.7"],
    ["a spoofed proxy on the left", proxy, "10.9.9.9, 203.0.113.7", "203.0.113.7"],
    ["two proxies", proxy, "1.1.1.1, 203.0.113.7, fd00::2", "203.0.113.7"],
    ["proxies only", proxy, "10.0.0.3, 10.0.0.2", "10.0.0.3"],
    ["no header", proxy, undefined, proxy],
    ["an entry that is none", proxy, "203.0.113.7, unknown, 10.0.0.2", "10.0.0.2"],
    ["a mapped proxy", "::ffff:10.0.0.1", "203.0.113.7", "203.0.113.7"],
    ["more proxies than anybody has", proxy, Array.from({ length: 500 }, () => "10.0.0.2").join(","), "10.0.0.2"],
    ["a socket without address", "", "203.0.113.7", undefined],
  ])("is found by trusted networks, with %s", (_title, ...[socketAddress, header, expected]) => {
    expect(find(proxies, header, socketAddress)).toBe(expected);
  });

  it.each([
    ["a plain address", "for=203.0.113.7;proto=https", "203.0.113.7"],
    ["a quoted IPv6 address", 'for=1.1.1.1, proto=https;For="[2001:db8::1]:4711"', "2001:db8::1"],
    ["a quoted IPv4 address with a port", 'for="203.0.113.7:80"', "203.0.113.7"],
    ["a comma in quotes", 'for=1.1.1.1, by="a,b";for=203.0.113.7', "203.0.113.7"],
    ["a quote that a client left open", 'for="1.1.1.1, for=203.0.113.7', "203.0.113.7"],
    ["an escaped quote", 'for="\\"", for=203.0.113.7;by="\\""', "203.0.113.7"],
    ["an obfuscated name", "for=_hidden", proxy],
    ["for=unknown", "for=unknown", proxy],
    ["no for", "by=203.0.113.7", proxy],
    ["a name that ends in for", "x-for=203.0.113.7", proxy],
    ["an element without end", `for=${"1".repeat(10_000)}`, proxy],
  ])("is found in Forwarded where that is configured, with %s", (_title, header, expected) => {
    expect(find({ hops: 1, header: "forwarded" }, header)).toBe(expected);
  });

  it("is one that a trusted proxy wrote, or the nearest known, whatever the client sends", () => {
    const hostile = fc.oneof(hostileText, fc.ipV4(), fc.ipV6(), fc.constantFrom('"', ",", '\\"', "for="));
    const header = fc.constantFrom("x-forwarded-for" as const, "forwarded" as const);
    fc.assert(
      fc.property(fc.array(hostile), header, (list, name) => {
        const appended = name === "forwarded" ? "for=203.0.113.7" : "203.0.113.7";
        expect(find({ hops: 1, header: name }, [...list, appended].join(", "))).toBe("203.0.113.7");
        expect(find({ ...proxies, header: name }, [...list, appended].join(", "))).toBe("203.0.113.7");
      }),
      seeded(500),
    );
  });

  it("looks at no more entries than count", () => {
    const value = Buffer.from(`${"1.1.1.1,".repeat(1_000_000)}203.0.113.7`).toString("latin1");
    const startMs = performance.now();
    for (let times = 0; times < 1000; times += 1) find({ hops: 1 }, value);
    expect(performance.now() - startMs).toBeLessThan(1000);
  });

  it.each([
    ["hops", { hops: 0 }],
    ["hops", { hops: 33 }],
    ["hops", { hops: 1.5 }],
    ["hops", { hops: 1, trusted: [] }],
    ["networks", { trusted: ["ten"] }],
    ["header", { hops: 1, header: "x-real-ip" as never }],
  ])("refuses %s in %j", (argument, options) => {
    expect(() => clientAddress(options)).toThrow(
      expect.objectContaining({ code: "ERR_SLUICE_INVALID_ARGUMENT", argument }),
    );
  });
});
