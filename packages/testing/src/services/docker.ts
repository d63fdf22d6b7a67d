import { existsSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";

import type { StepOutcome } from "./steps.ts";

// Pinned, so that a new release of a server never changes what a test means.
const defaultImages = { SLUICE_POSTGRES_IMAGE: "postgres:18.4", SLUICE_REDIS_IMAGE: "redis:8.2.2" } as const;

interface StartedContainer {
  readonly url: string;
  stop(): Promise<void>;
}

/** PostgreSQL in a container. Testcontainers removes it when this process goes, through a container of its own. */
export function dockerPostgres(settings: readonly string[]): Promise<StepOutcome> {
  return inContainer(async () => {
    const { PostgreSqlContainer } = await import("@testcontainers/postgresql");
    const container = await new PostgreSqlContainer(image("SLUICE_POSTGRES_IMAGE"))
      .withCommand(["postgres", ...settings.flatMap((setting) => ["-c", setting])])
      .start();
    return { url: container.getConnectionUri(), stop: async () => void (await container.stop()) };
  });
}

/** Redis in a container. */
export function dockerRedis(settings: readonly string[]): Promise<StepOutcome> {
  return inContainer(async () => {
    const { RedisContainer } = await import("@testcontainers/redis");
    const container = await new RedisContainer(image("SLUICE_REDIS_IMAGE"))
      .withCommand(["redis-server", "--protected-mode", "no", ...settings])
      .start();
    return { url: container.getConnectionUrl(), stop: async () => void (await container.stop()) };
  });
}

async function inContainer(start: () => Promise<StartedContainer>): Promise<StepOutcome> {
  const missing = await engineMissing();
  if (missing !== undefined) return { missing };
  try {
    return await start();
  } catch (error) {
    // A pull that fails, as without a network, is no reason to go without the tests.
    return { missing: `the container did not start: ${(error as Error).message}` };
  }
}

async function engineMissing(): Promise<string | undefined> {
  if (!mayHaveEngine()) return "no Docker engine on this machine";
  try {
    const { getContainerRuntimeClient } = await import("testcontainers");
    await getContainerRuntimeClient();
    return undefined;
  } catch (error) {
    const absent = (error as NodeJS.ErrnoException).code === "ERR_MODULE_NOT_FOUND";
    return absent ? "the package testcontainers is not installed" : "no Docker engine answers";
  }
}

// Loading testcontainers takes longer than starting a Redis, and most machines without an engine have no trace of one.
function mayHaveEngine(): boolean {
  if (process.platform === "win32" || process.env["DOCKER_HOST"]) return true;
  const runtime = process.env["XDG_RUNTIME_DIR"] ?? `/run/user/${process.getuid?.()}`;
  const own = [".docker/run/docker.sock", ".docker/desktop/docker.sock", ".testcontainers.properties"];
  const traces = [
    "/var/run/docker.sock",
    path.join(runtime, "docker.sock"),
    ...own.map((name) => path.join(homedir(), name)),
  ];
  return traces.some((trace) => existsSync(trace));
}

function image(variable: keyof typeof defaultImages): string {
  return process.env[variable] ?? defaultImages[variable];
}
