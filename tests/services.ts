import { keepPostgresTemplates, startServices, type ServiceFacts } from "@sluice/testing/services";
import type { TestProject } from "vitest/node";

/** Starts a PostgreSQL and a Redis for the tests of a project, and stops them after the run. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const templates = await keepPostgresTemplates();
  const services = await startServices();
  project.provide("sluiceServices", [services.postgres, services.redis].map(facts));
  return async () => {
    await services.stop();
    await templates[Symbol.asyncDispose]();
  };
}

// Only what survives the way to another process.
function facts({ name, url, version, origin, real, passed }: ServiceFacts): ServiceFacts {
  return { name, url, version, origin, real, passed };
}
