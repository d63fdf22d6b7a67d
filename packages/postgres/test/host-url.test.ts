import { connectPostgres, type ConnectPostgresOptions } from "@sluice/postgres/connect";
import { describe, expect, it } from "vitest";

import { hostAddresses } from "../src/host-url.ts";

describe("the hosts of URLs", () => {
  it("are each found once, in their order, with the user of their URL", () => {
    const urls = [
      "postgres://u:p%40@one,[::1]:6000/shop?sslmode=require",
      "postgresql://two:5433",
      "postgres://one:5432/x",
    ];
    expect(hostAddresses("urls", urls)).toEqual([
      { name: "one:5432", url: "postgres://one:5432/x" },
      { name: "[::1]:6000", url: "postgres://u:p%40@[::1]:6000/shop?sslmode=require" },
      { name: "two:5433", url: "postgresql://two:5433" },
    ]);
  });

  it("may be a folder of sockets, and need not say which role they want", () => {
    expect(hostAddresses("urls", "postgres:///shop?host=/run/pg&target_session_attrs=read-write")).toEqual([
      { name: "/run/pg:5432", url: "postgres:///shop?host=/run/pg" },
    ]);
  });

  it.each(["mysql://u:hidden@h/d", "postgres://u:hidden@h:port/d", "hidden"])(
    "are refused without being shown: %s",
    (url) => {
      const refuse = (): unknown => connectPostgres({ urls: url });
      expect(refuse).toThrow(expect.objectContaining({ code: "ERR_SLUICE_INVALID_ARGUMENT", argument: "urls" }));
      expect(refuse).not.toThrow(/hidden/);
    },
  );
});

describe("the options of a connection", () => {
  const wrong: Record<string, Partial<ConnectPostgresOptions>> = {
    max: { max: 0 },
    probeMs: { probeMs: 0.5 },
    acquireTimeoutMs: { acquireTimeoutMs: 100 },
    maxLagMs: { maxLagMs: 1999 },
    replicas: { replicas: "some" as "auto" },
    urls: { urls: [] },
    closeTimeoutMs: { closeTimeoutMs: -1 },
  };
  it.each([
    ["urls", { urls: undefined }],
    ["urls", { urls: 5432 }],
    ["urls", { urls: [undefined] }],
    ["replicas", { replicas: { length: 1 } }],
    ["applicationName", { applicationName: "a\0b" }],
    ["settings", { settings: { search_path: "shop\0" } }],
  ])("are checked though nobody has checked their types: %s", (argument, options) => {
    const open = (): unknown => connectPostgres({ urls: "postgres://h/d", ...(options as object) });
    expect(open).toThrow(expect.objectContaining({ code: "ERR_SLUICE_INVALID_ARGUMENT", argument }));
  });

  it.each(Object.entries(wrong))("are checked before anything is connected: %s", (argument, options) => {
    const open = (): unknown => connectPostgres({ urls: "postgres://h/d", ...options });
    expect(open).toThrow(expect.objectContaining({ code: "ERR_SLUICE_INVALID_ARGUMENT", argument }));
  });

  it("refuse a mark and a sticky time that are none", () => {
    const db = connectPostgres({ urls: "postgres://h/d" });
    for (const after of ["", "m1.1.1", "m2.1.1.1", "m1.1.1.g", "m1.1.1.1;"]) {
      for (const use of [() => db.read({ after }), () => db.session({ after })]) {
        expect(use).toThrow(expect.objectContaining({ code: "ERR_SLUICE_INVALID_ARGUMENT", argument: "after" }));
      }
    }
    expect(() => db.session({ stickyMs: -1 })).toThrow(expect.objectContaining({ argument: "stickyMs" }));
  });
});
