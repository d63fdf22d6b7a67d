import { readFileSync } from "node:fs";
import { connect, createServer as createTcpServer, type AddressInfo, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";

import { hasCode } from "@sluice/core";
import { findRedis, launchRedis } from "@sluice/testing/services";
import { describeNeeding } from "@sluice/testing/vitest";
import { Redis as Ioredis } from "ioredis";
import { expect, it, onTestFinished } from "vitest";

import { makeCertificates, type Certificates } from "./certificates.ts";
import { count } from "./scripts.ts";
import { connected, ownServer, rejection, timed } from "./servers.ts";

/** A Redis that speaks TLS on one port, and to its administrator in plain text on another. */
interface SecuredRedis {
  readonly tlsPort: number;
  readonly plainPort: number;
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

/** TLS that ends before Redis, as at many hosting companies. */
async function behindProxy({ files }: Certificates): Promise<SecuredRedis> {
  const { port: plainPort } = await ownServer();
  const secured = { cert: readFileSync(files.certificate), key: readFileSync(files.key) };
  const sockets = new Set<Socket>();
  const proxy = createTlsServer(secured, (client) => {
    const upstream = connect(plainPort, "127.0.0.1");
    client.on("error", () => upstream.destroy());
    upstream.on("error", () => client.destroy());
    client.pipe(upstream).pipe(client);
    sockets.add(client).add(upstream);
  });
  proxy.on("tlsClientError", () => {});
  onTestFinished(() => {
    proxy.close();
    for (const socket of sockets) socket.destroy();
  });
  return { tlsPort: await listening(proxy), plainPort };
}

/** TLS of Redis itself; behind a proxy where its build has none. */
async function byItself(certificates: Certificates): Promise<SecuredRedis> {
  const placeholder = createTcpServer();
  const tlsPort = await listening(placeholder);
  await new Promise((resolve) => placeholder.close(resolve));
  const { ca, certificate, key } = certificates.files;
  const files = { "tls-ca-cert-file": ca, "tls-cert-file": certificate, "tls-key-file": key };
  const settings = { ...files, "tls-port": tlsPort, "tls-auth-clients": "no" };
  try {
    const server = await launchRedis({ binary: (await findRedis()) ?? "redis-server", settings });
    onTestFinished(() => server.stop());
    return { tlsPort, plainPort: server.port };
  } catch (error) {
    if (hasCode(error, "ERR_SLUICE_SERVER_START") && String(error).includes("Bad directive")) {
      return behindProxy(certificates);
    }
    throw error;
  }
}

const hit = { keys: ["hits"], args: [1] };

describeNeeding({ redis: "real", programs: ["openssl"] }, "a connection over TLS", () => {
  it.each([
    ["of Redis itself", byItself],
    ["of a proxy", behindProxy],
  ])("%s carries calls and messages", async (_, start) => {
    const certificates = makeCertificates();
    const { tlsPort } = await start(certificates);
    const redis = connected({ url: `rediss://localhost:${tlsPort}`, tls: { ca: certificates.ca }, deadlineMs: 2000 });
    expect(await redis.run(count, hit)).toBe(1);
    const messages: string[] = [];
    const subscription = await redis.subscribe(
      "news",
      (message) => messages.push(message),
      () => {},
    );
    expect(subscription.live).toBe(true);
    expect(await redis.read("GET", ["hits"])).toBe("1");
  });

  it.each([
    ["an authority that it does not know", (port: number) => ({ url: `rediss://localhost:${port}`, tls: true })],
    [
      "another authority than it was told",
      (port: number) => ({ url: `rediss://localhost:${port}`, tls: { ca: makeCertificates().ca } }),
    ],
    ["another host's certificate", (port: number, ca: string) => ({ url: `rediss://127.0.0.1:${port}`, tls: { ca } })],
  ])("refuses a server whose certificate is wrong, before any command: %s", async (_, target) => {
    const certificates = makeCertificates();
    const { tlsPort, plainPort } = await byItself(certificates);
    const redis = connected({ ...target(tlsPort, certificates.ca), password: "hunter2", deadlineMs: 2000 });
    const error = await rejection(redis.run(count, hit));
    expect(error).toMatchObject({ code: "ERR_SLUICE_REDIS_UNAVAILABLE", applied: "no", reason: "not-connected" });
    expect(error.message).toMatch(/certificate|altnames/);
    const admin = new Ioredis(plainPort);
    onTestFinished(() => admin.disconnect());
    const commands = await admin.info("commandstats");
    expect(commands).not.toMatch(/cmdstat_(eval|auth)/);
    // The administrator's own.
    expect(commands).toContain("cmdstat_hello:calls=1,");
  });

  it("is not made in plain text by mistake, nor in TLS to a server without", async () => {
    const certificates = makeCertificates();
    const { tlsPort, plainPort } = await byItself(certificates);
    for (const url of [`redis://localhost:${tlsPort}`, `rediss://localhost:${plainPort}`]) {
      const redis = connected({ url, tls: url.startsWith("rediss") ? { ca: certificates.ca } : false });
      const ms = await timed(async () => {
        expect(await rejection(redis.run(count, hit))).toMatchObject({ code: "ERR_SLUICE_REDIS_UNAVAILABLE" });
      });
      expect(ms).toBeLessThan(1000);
    }
  });
});
