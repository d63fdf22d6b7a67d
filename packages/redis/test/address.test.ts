import { Redis as Ioredis } from "ioredis";
import { describe, expect, it } from "vitest";

import { addressOf } from "../src/address.ts";
import { connectRedis, fromIoredis } from "../src/ioredis.ts";
import { rejection } from "./servers.ts";

describe("an address", () => {
  it("may be a URL with user, password and database", () => {
    expect(addressOf({ url: "redis://shop:p%40ss@db.example:6380/3" })).toMatchObject({
      kind: "server",
      addresses: [{ host: "db.example", port: 6380 }],
      db: 3,
      username: "shop",
      password: "p@ss",
      tls: false,
    });
    expect(addressOf({ url: "rediss://[::1]" })).toMatchObject({ addresses: [{ host: "::1", port: 6379 }], tls: true });
  });

  it("may be a list of Sentinels with the master's name", () => {
    expect(addressOf({ url: "redis+sentinel://:secret@a:1,b:2/main/1" })).toMatchObject({
      kind: "sentinel",
      addresses: [
        { host: "a", port: 1 },
        { host: "b", port: 2 },
      ],
      name: "main",
      db: 1,
      password: "secret",
    });
    expect(addressOf({ sentinels: [{ host: "a", port: 1 }] })).toMatchObject({ kind: "sentinel", name: "mymaster" });
  });

  it("may be some nodes of a Cluster", () => {
    expect(addressOf({ url: "redis+cluster://a,b:7001" })).toMatchObject({
      kind: "cluster",
      addresses: [
        { host: "a", port: 6379 },
        { host: "b", port: 7001 },
      ],
    });
  });

  it.each([
    "redis://user:hunter2@host:port",
    "http://user:hunter2@host",
    "redis://user:hunter2@one:1,two:2",
    "redis://user:hunter2@host/not-a-number",
    "redis://user:%zzhunter2@host",
    "user:hunter2@host",
    "redis://user:hunter2@host:99999",
    "redis://user:hunter2@host:0",
    "redis://user:hunter2@host ",
    "redis+cluster://user:hunter2@host/3",
  ])("that is wrong is refused without showing its password: %s", async (url) => {
    const error = await rejection(Promise.resolve().then(() => connectRedis(url)));
    expect(error["code"]).toBe("ERR_SLUICE_INVALID_ARGUMENT");
    expect(String(error.stack)).not.toContain("hunter2");
  });

  it.each([
    ["target", undefined],
    ["target", null],
    ["target", 6379],
    ["target", {}],
    ["db", { url: "redis://a", db: -1 }],
    ["db", { url: "redis://a", db: 1.5 }],
    ["db", { cluster: [{ host: "a", port: 1 }], db: 1 }],
    ["host", { cluster: ["a:1"] }],
    ["port", { sentinels: [{ host: "a", port: "26379" }] }],
    ["name", { sentinels: [{ host: "a", port: 1 }], name: 5 }],
    ["username", { url: "redis://a", username: 5 }],
    ["password", { url: "redis://a", password: { hunter2: true } }],
    ["role", { url: "redis://a", role: "my app" }],
    ["deadlineMs", { url: "redis://a", deadlineMs: "250" }],
  ])("of a wrong type is refused, naming %s", (argument, target) => {
    const connecting = (): unknown => connectRedis(target as string);
    expect(connecting).toThrow(expect.objectContaining({ code: "ERR_SLUICE_INVALID_ARGUMENT", argument }));
    expect(connecting).not.toThrow("hunter2");
  });

  it("of a client of yours has a role that a server takes", () => {
    const client = new Ioredis({ lazyConnect: true });
    expect(() => fromIoredis(client, { role: "my app" })).toThrow("role must be");
  });

  it("is exactly one of URL, Sentinels and Cluster", () => {
    expect(() => addressOf({})).toThrow("exactly one of");
    expect(() => addressOf({ url: "redis://a", cluster: [{ host: "a", port: 1 }] })).toThrow("exactly one of");
    expect(() => addressOf({ cluster: [] })).toThrow("at least one address");
  });
});
