import { createServer, type AddressInfo, type Server } from "node:net";

import { ServerStartError } from "./errors.ts";

/** Loopback ports that nobody listened on a moment ago, no two the same. Another process may still take one first. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count }, listen));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** A loopback port that nobody listened on a moment ago. Another process may still take it first. */
export async function freePort(): Promise<number> {
  const [port = 0] = await freePorts(1);
  return port;
}

function listen(): Promise<Server> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => resolve(server));
  });
}

const attempts = 5;

/**
 * Starts servers on free ports. Where somebody else takes one of them first, others are tried.
 *
 * @throws what `start` throws, which has to leave nothing behind then.
 */
export async function onPorts<T>(count: number, start: (ports: readonly number[]) => Promise<T>): Promise<T> {
  for (let attempt = 1; attempt < attempts; attempt += 1) {
    try {
      return await start(await freePorts(count));
    } catch (error) {
      if (!isPortTaken(error)) throw error;
    }
  }
  return start(await freePorts(count));
}

/**
 * Starts a server on the given port, or on a free one. Where somebody else takes a free port first, another is tried.
 *
 * @throws what `start` throws.
 */
export async function onPort<T>(port: number | undefined, start: (port: number) => Promise<T>): Promise<T> {
  return port === undefined ? onPorts(1, ([free = 0]) => start(free)) : start(port);
}

function isPortTaken(error: unknown): boolean {
  return error instanceof ServerStartError && error.log.some((line) => /address already in use/i.test(line));
}
