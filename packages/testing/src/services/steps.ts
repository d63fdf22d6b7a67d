import { InvalidArgumentError } from "@sluice/core";

import type { ServerDescription } from "./describe-server.ts";
import { ServiceUnavailableError } from "./errors.ts";
import type { Origin, Service, ServiceName } from "./service.ts";

/** How a service is chosen. */
export interface StartServiceOptions {
  /**
   * The one step to take. Default: the environment variable `SLUICE_SERVICES`, and without it every step in the order
   * `url`, `docker`, `local`, `npm`.
   */
  readonly origin?: Origin | undefined;
  /**
   * Whether what the server has acknowledged survives a crash. Default `false`: faster, for throwaway data. A given
   * server that is not durable cannot serve then, nor can the stand-in for Redis from npm.
   */
  readonly durable?: boolean;
}

/** A server that a step has started, or what the step lacks. */
export type StepOutcome =
  | { readonly url: string; readonly pid?: number; readonly real?: boolean; readonly stop: () => Promise<void> }
  | Missing;

interface Missing {
  readonly missing: string;
  /** There is a server, but it cannot be used. */
  readonly broken?: boolean;
}

/** Everything about a service that differs from the other service. */
export interface ServicePlan {
  readonly name: ServiceName;
  readonly steps: Readonly<Record<Origin, () => Promise<StepOutcome>>>;
  describe(url: string): Promise<ServerDescription>;
}

const origins = ["url", "docker", "local", "npm"] as const;

/**
 * Takes the steps in their order until one serves.
 *
 * @throws `ERR_SLUICE_SERVICE_UNAVAILABLE` when none does.
 */
export async function startService(plan: ServicePlan, options: StartServiceOptions): Promise<Service> {
  const { origin = forcedOrigin(), durable = false } = options;
  const passed: string[] = [];
  for (const step of origin ? [origin] : origins) {
    const outcome = await take(plan, step);
    const checked = "missing" in outcome ? outcome : await check(plan, outcome, durable);
    if (!("missing" in checked)) return toService(plan.name, step, { ...checked, passed });
    passed.push(`${step}: ${checked.missing}`);
    // Whoever gave a server means that one: tests must not silently run against another.
    if (step === "url" && checked.broken) break;
  }
  throw new ServiceUnavailableError(plan.name, passed);
}

type Started = Exclude<StepOutcome, Missing>;

async function take(plan: ServicePlan, step: Origin): Promise<StepOutcome> {
  try {
    return await plan.steps[step]();
  } catch (error) {
    return { missing: (error as Error).message };
  }
}

async function check(
  plan: ServicePlan,
  started: Started,
  durable: boolean,
): Promise<(Started & ServerDescription) | Missing> {
  try {
    const description = await plan.describe(started.url);
    if (description.durable || !durable) return { ...started, ...description };
    await started.stop();
    return { missing: "the server may lose what it has acknowledged" };
  } catch (error) {
    await started.stop();
    const reason = withoutPassword((error as Error).message, started.url);
    return { missing: `the server cannot be used: ${reason}`, broken: true };
  }
}

function toService(
  name: ServiceName,
  origin: Origin,
  { url, pid, real = true, stop, version, passed }: Started & ServerDescription & { passed: readonly string[] },
): Service {
  let stopped: Promise<void> | undefined;
  const stopOnce = (): Promise<void> => (stopped ??= stop());
  const own = pid === undefined ? {} : { pid };
  return { name, url, version, origin, real, passed, ...own, stop: stopOnce, [Symbol.asyncDispose]: stopOnce };
}

function withoutPassword(message: string, url: string): string {
  const password = URL.canParse(url) ? new URL(url).password : "";
  const shown = [url, password, decodeURIComponent(password)].filter((secret) => secret !== "");
  return shown.reduce((text, secret) => text.replaceAll(secret, "…"), message);
}

function forcedOrigin(): Origin | undefined {
  const wanted = process.env["SLUICE_SERVICES"];
  if (wanted === undefined || wanted === "") return undefined;
  const known = origins.find((origin) => origin === wanted);
  if (!known) throw new InvalidArgumentError("SLUICE_SERVICES", `one of ${origins.join(", ")}`, wanted);
  return known;
}

/** The step `url`: a server that an environment variable names. */
export async function givenServer(variable: string): Promise<StepOutcome> {
  const url = process.env[variable];
  if (url === undefined || url === "") return { missing: `${variable} is not set` };
  return { url, stop: async () => undefined };
}
