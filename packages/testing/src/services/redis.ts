import { describeRedis } from "./describe-server.ts";
import { dockerRedis } from "./docker.ts";
import { findRedis } from "./find-binaries.ts";
import { launchRedis } from "./launch-redis.ts";
import type { Service } from "./service.ts";
import { givenServer, startService, type StartServiceOptions, type StepOutcome } from "./steps.ts";

const throwaway = { save: "", appendonly: "no" };
const durable = { save: "", appendonly: "yes", appendfsync: "always" };

/**
 * A Redis for tests: the one at `REDIS_URL`, else a container (image `SLUICE_REDIS_IMAGE`), else a private server of
 * the `redis-server` or `valkey-server` on this machine, else the stand-in of the npm package `js-redis-server`, which
 * has `real: false`: it runs scripts, but lacks CLIENT TRACKING, WAIT and OBJECT, among others.
 *
 * @throws `ERR_SLUICE_SERVICE_UNAVAILABLE` saying what each step lacks.
 */
export async function startRedis(options: StartServiceOptions = {}): Promise<Service> {
  const settings = options.durable ? durable : throwaway;
  return startService(
    {
      name: "redis",
      describe: describeRedis,
      steps: {
        url: () => givenServer("REDIS_URL"),
        docker: () => dockerRedis(Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value])),
        local: () => localRedis(settings),
        npm: standIn,
      },
    },
    options,
  );
}

async function localRedis(settings: Readonly<Record<string, string>>): Promise<StepOutcome> {
  const binary = await findRedis();
  if (binary === undefined) return { missing: "no redis-server or valkey-server on PATH or in the usual folders" };
  return launchRedis({ binary, settings });
}

async function standIn(): Promise<StepOutcome> {
  const library = await import("js-redis-server").catch(() => undefined);
  if (!library) return { missing: "the package js-redis-server is not installed" };
  const server = await library.createRedisMock();
  return { url: server.url, real: false, stop: () => server.close() };
}
