import { InvalidArgumentError, parseDuration, type Duration, type Random } from "@sluice/core";

/** Variables of the environment, as in `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Where the lifetime of a scope's values comes from. */
export interface LifetimeSource {
  readonly scope: string;
  readonly ttl: Duration;
  readonly env: Environment | undefined;
  /** Default: `<SCOPE>_CACHE_TTL_SECONDS`. */
  readonly variable: string | undefined;
}

const longestMs = 365 * 86_400_000;
const defaultVariable = "DEFAULT_CACHE_TTL_SECONDS";

/**
 * The lifetime of a scope's values in ms: that of its variable, else of `DEFAULT_CACHE_TTL_SECONDS`, else of the code.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` naming the variable or the option, for anything but whole seconds in an
 *   environment, and for more than a year.
 */
export function lifetimeMs({ scope, ttl, env, variable = variableOf(scope) }: LifetimeSource): number {
  const codeMs = parseDuration(ttl, { maxMs: longestMs, argument: "ttl" });
  return secondsOf(env, variable) ?? secondsOf(env, defaultVariable) ?? codeMs;
}

/**
 * Looks at all variables of this kind, those that no scope asks for included: a mistake in one is found at the start.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` naming the variable.
 */
export function checkEnvironment(env: Environment | undefined): void {
  for (const name of Object.keys(env ?? {})) if (name.endsWith("_CACHE_TTL_SECONDS")) secondsOf(env, name);
}

/** `listing_detail` → `LISTING_DETAIL_CACHE_TTL_SECONDS`. */
function variableOf(scope: string): string {
  return `${scope.replaceAll(/[^A-Za-z0-9]+/g, "_").toUpperCase()}_CACHE_TTL_SECONDS`;
}

function secondsOf(env: Environment | undefined, variable: string): number | undefined {
  const text = env?.[variable];
  if (text === undefined) return undefined;
  const ms = /^\d{1,8}$/.test(text) ? Number(text) * 1000 : Number.NaN;
  if (ms <= longestMs) return ms;
  throw new InvalidArgumentError(variable, "whole seconds, from 0 to 31536000", text);
}

/**
 * A lifetime shortened by chance, so that what was stored together does not expire together. Never lengthened: the
 * lifetime that was asked for stays the bound.
 */
export function jittered(ms: number, jitter: number, random: Random): number {
  return jitter === 0 ? ms : Math.floor(ms * (1 - jitter * random.float()));
}

/** What {@link isDueEarly} decides on. */
export interface EarlyRefresh {
  readonly leftMs: number;
  readonly loadMs: number;
  readonly beta: number;
  readonly random: Random;
}

/**
 * Whether this read reloads a value that is still fresh. The chance is e^(-left / (beta x load time)): one in three
 * when a load's time is left. So one reader reloads shortly before the end, and not all of them right after it.
 *
 * Source: {@link https://cseweb.ucsd.edu/~avattani/papers/cache_stampede.pdf | Vattani, Chierichetti and Lowenstein,
 * Optimal Probabilistic Cache Stampede Prevention}.
 */
export function isDueEarly({ leftMs, loadMs, beta, random }: EarlyRefresh): boolean {
  // 1 - float lies in (0, 1], where the logarithm is finite.
  return beta > 0 && -Math.log(1 - random.float()) * beta * loadMs >= leftMs;
}
