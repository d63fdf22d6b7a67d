import { postgresProtocol, respProtocol, type Splitter } from "@sluice/testing/faults";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { testSeed } from "../src/seed.ts";

/** The units of a stream that arrives in chunks of the given sizes, in turn. */
function unitsOf(split: Splitter, stream: Buffer, sizes: readonly number[]): string[] {
  const units = [""];
  for (let at = 0, index = 0; at < stream.length; index += 1) {
    const size = sizes[index % sizes.length]!;
    for (const { bytes, last } of split(stream.subarray(at, at + size))) {
      units[units.length - 1] += bytes.toString("latin1");
      if (last) units.push("");
    }
    at += size;
  }
  return units;
}

/** Cuts the stream into chunks of every kind, and returns the units of each run that are not the expected ones. */
function wrongUnits(splitter: () => Splitter, units: readonly string[]): string[][] {
  const stream = Buffer.from(units.join(""), "latin1");
  const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 20 });
  return fc
    .sample(sizes, { seed: testSeed(), numRuns: 300 })
    .map((chunks) => unitsOf(splitter(), stream, chunks))
    .filter((found) => found.join("|") !== [...units, ""].join("|"));
}

function message(type: string, body = ""): string {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length + 4);
  return type + length.toString("latin1") + body;
}

describe("the Redis protocol", () => {
  it("tells pipelined commands apart, however the bytes are cut", () => {
    expect(
      wrongUnits(respProtocol.requests, [
        "*2\r\n$3\r\nGET\r\n$1\r\na\r\n",
        "PING\r\n",
        "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$14\r\n*1\r\n$4\r\nPING\r\n\r\n",
      ]),
    ).toEqual([]);
  });

  it("tells every kind of answer apart, however the bytes are cut", () => {
    expect(
      wrongUnits(respProtocol.replies, [
        "+OK\r\n",
        ":42\r\n",
        "-ERR no\r\n",
        "$-1\r\n",
        "$0\r\n\r\n",
        "*-1\r\n",
        "*0\r\n",
        "*2\r\n$1\r\na\r\n*2\r\n:1\r\n$2\r\n\r\n\r\n",
        "*2\r\n*2\r\n:1\r\n:2\r\n:3\r\n",
        "%1\r\n+key\r\n~2\r\n:1\r\n:2\r\n",
        "|1\r\n+ttl\r\n:3600\r\n*1\r\n#t\r\n",
        "_\r\n",
        ",1.5\r\n",
        "=7\r\ntxt:abc\r\n",
      ]),
    ).toEqual([]);
  });

  it("counts a push as part of the answer that follows", () => {
    expect(
      wrongUnits(respProtocol.replies, ["+OK\r\n", ">2\r\n+invalidate\r\n*1\r\n$1\r\na\r\n+OK\r\n", ":1\r\n"]),
    ).toEqual([]);
  });
});

describe("the PostgreSQL protocol", () => {
  const startup = "\0\0\0\u0017\0\u0003\0\0user\0postgres\0\0";
  const sslRequest = "\0\0\0\u0008\u0004\u00d2\u0016\u002f";

  it("tells statements apart, however the bytes are cut", () => {
    expect(
      wrongUnits(postgresProtocol.requests, [
        sslRequest + startup,
        message("p", "secret\0") + message("Q", "begin\0"),
        message("P", "\0S sync Q\0") + message("B", "QQQQ") + message("E") + message("S"),
        message("Q", "commit\0"),
      ]),
    ).toEqual([]);
  });

  it("ends an answer where the server is ready again", () => {
    expect(
      wrongUnits(postgresProtocol.replies, [
        `N${message("R", "\0\0\0\0")}${message("S", "TimeZone\0UTC\0")}${message("Z", "I")}`,
        message("N", "NOTICE Z\0") + message("C", "BEGIN\0") + message("Z", "T"),
        message("1") + message("2") + message("D", "ZZZZZ") + message("C", "SELECT 1\0") + message("Z", "I"),
      ]),
    ).toEqual([]);
  });
});
