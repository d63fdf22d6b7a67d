import { describeValue } from "@sluice/core";

import { authProblems } from "./auth-config.ts";
import type { Setting } from "./chooser.ts";
import { effective, type Config } from "./config.ts";
import { environment, isSecret, type Environment } from "./environment.ts";

/** A configuration, or everything that is wrong with it. */
export type ConfigResult =
  | { readonly ok: true; readonly config: Config; readonly settings: readonly Setting[] }
  | { readonly ok: false; readonly problems: readonly string[] };

/** Reads the environment. All problems are reported at once, each naming its variable; secret values are never shown. */
export function readConfig(variables: Readonly<Record<string, string | undefined>>): ConfigResult {
  const given = Object.fromEntries(Object.entries(variables).filter(([, value]) => value?.trim()));
  const result = environment.safeParse(given);
  const problems = result.error?.issues.map((issue) => describe(String(issue.path[0]), issue.message, given)) ?? [];
  problems.push(...missing(given), ...(result.success ? contradictions(result.data) : []));
  if (problems.length > 0 || !result.success) return { ok: false, problems };
  return { ok: true, ...effective(result.data) };
}

function describe(name: string, expected: string, given: Readonly<Record<string, string | undefined>>): string {
  return `${name} must be ${expected}, got ${isSecret(name) ? "a value that is not shown" : describeValue(given[name])}`;
}

/** What production refuses to run without. */
function missing(given: Readonly<Record<string, string | undefined>>): string[] {
  if (given["NODE_ENV"]?.trim() !== "production") return [];
  const problems: string[] = [];
  if (given["DATABASE_URL"] === undefined && given["SQLALCHEMY_DATABASE_URL"] === undefined) {
    problems.push("DATABASE_URL must be set in production: the embedded PostgreSQL is for development");
  }
  if (given["SECRET_KEY"] === undefined) problems.push("SECRET_KEY must be set in production, to at least 32 bytes");
  return problems;
}

function contradictions(given: Environment): string[] {
  const problems: string[] = [];
  const { SHUTDOWN_DELAY_MS: delayMs = 0, SHUTDOWN_TIMEOUT_MS: timeoutMs } = given;
  if (timeoutMs !== undefined && delayMs >= timeoutMs) {
    problems.push(
      `SHUTDOWN_TIMEOUT_MS must be longer than SHUTDOWN_DELAY_MS (${delayMs}), which is part of it, got ${timeoutMs}`,
    );
  }
  const { DATABASE_REPLICA_URLS: replicas, DATABASE_URL: url = given.SQLALCHEMY_DATABASE_URL } = given;
  if (replicas !== undefined && url === undefined) {
    problems.push("DATABASE_REPLICA_URLS must come with DATABASE_URL: the embedded PostgreSQL has no replicas");
  }
  problems.push(...authProblems(given));
  return problems;
}
