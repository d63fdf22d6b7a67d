import { createServer, type AddressInfo } from "node:net";

import { ServerStartError } from "./errors.ts";

/** A loopback port that nobody listened on a moment ago. Another process may still take it first. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const attempts = 5;

/**
 * Starts a server on the given port, or on a free one. Where somebody else takes a free port first, another is tried.
 *
 * @throws what `start` throws.
 */
export async function onPort<T>(port: number | undefined, start: (port: number) => Promise<T>): Promise<T> {
  if (port !== undefined) return start(port);
  for (let attempt = 1; attempt < attempts; attempt += 1) {
    try {
      return await start(await freePort());
    } catch (error) {
      if (!isPortTaken(error)) throw error;
    }
  }
  return start(await freePort());
}

function isPortTaken(error: unknown): boolean {
  return error instanceof ServerStartError && error.log.some((line) => /address already in use/i.test(line));
}
