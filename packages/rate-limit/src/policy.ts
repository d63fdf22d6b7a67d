import { InvalidArgumentError, parseDuration, type Duration } from "@sluice/core";

import { named, type NamedLimit } from "./field.ts";
import { checkedName, type Limit } from "./limit.ts";

/** Whether limits hold: `shadow` counts and tells, and lets everything through; `off` does nothing at all. */
export type Mode = "enforce" | "shadow" | "off";

/** What a failed store means for a call: it passes, it is refused, or this process counts by itself. */
export type OnStoreError = "allow" | "deny" | "local";

/** Limits that hold together, with what differs from the limiter's own options. */
export interface PolicyOptions {
  /** All of them must allow a call, and a denial spends at none of them. */
  readonly limits: Limit | readonly Limit[];
  /** Default: that of the limiter. */
  readonly mode?: Mode | (() => Mode);
  /** Default: that of the limiter. */
  readonly onStoreError?: OnStoreError;
  /**
   * Takes budget in advance and spends it in this process, for at most this long: for policies of one bucket. What all
   * processes let through in a span of `t` ms is at most `capacity + rate * (t + lease)`, however many they are.
   * Default: each call asks the store.
   */
  readonly lease?: Duration;
  /**
   * Denied calls count, too, at all limits of the policy: whoever keeps calling stays out, and is let in two windows, or
   * two full buckets, after the last call at the latest. For windows and buckets. No denial is remembered then, so each
   * call asks the store. Default `false`.
   */
  readonly countDenied?: boolean;
}

/** One limit, several, or limits with options. */
export type PolicyInput = Limit | readonly Limit[] | PolicyOptions;

/** A policy as a limiter uses it. */
export interface Policy {
  readonly name: string;
  readonly limits: readonly NamedLimit[];
  /** The same limits, for one of several processes that count by themselves. */
  readonly localLimits: readonly NamedLimit[];
  readonly mode: () => Mode;
  readonly onStoreError: OnStoreError;
  readonly leaseMs: number | undefined;
  readonly hasSlots: boolean;
  readonly countDenied: boolean;
}

/** What policies inherit from their limiter. */
export interface PolicyDefaults {
  readonly mode: Mode | (() => Mode);
  readonly onStoreError: OnStoreError;
  readonly instances: number;
}

const mostLimits = 16;

/**
 * Checks a policy and gives its limits their names.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` naming the policy.
 */
export function policyOf(name: string, input: PolicyInput, defaults: PolicyDefaults): Policy {
  checkedName(name, "policies");
  const options = optionsOf(name, input);
  const limits = limitsOf(name, [options.limits].flat());
  const mode = options.mode ?? defaults.mode;
  return {
    name,
    limits,
    localLimits: limits.map((limit) => share(limit, defaults.instances)),
    mode: modeOf(options.mode === undefined ? "mode" : `policies.${name}.mode`, mode),
    onStoreError: checkedAction(`policies.${name}.onStoreError`, options.onStoreError ?? defaults.onStoreError),
    leaseMs: options.lease === undefined ? undefined : checkedLease(name, limits, options.lease),
    hasSlots: limits.some(({ kind }) => kind === "concurrency"),
    countDenied: options.countDenied === true && checkedForDenied(name, limits, options.lease),
  };
}

/** A mode as it is asked for at each call. What is none must neither enforce nor switch off by accident. */
function modeOf(argument: string, mode: Mode | (() => Mode)): () => Mode {
  if (typeof mode === "function") return () => checkedMode(argument, mode());
  checkedMode(argument, mode);
  return () => mode;
}

function checkedMode(argument: string, mode: Mode): Mode {
  if (mode === "enforce" || mode === "shadow" || mode === "off") return mode;
  throw new InvalidArgumentError(argument, '"enforce", "shadow" or "off"', mode);
}

/**
 * What to do about a failed store.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` naming the option.
 */
export function checkedAction(argument: string, action: OnStoreError): OnStoreError {
  if (action === "allow" || action === "deny" || action === "local") return action;
  throw new InvalidArgumentError(argument, '"allow", "deny" or "local"', action);
}

function optionsOf(name: string, input: PolicyInput): PolicyOptions {
  if (typeof input !== "object" || input === null) {
    throw new InvalidArgumentError(`policies.${name}`, "a limit, a list of limits, or { limits }", input);
  }
  return "limits" in input ? input : { limits: input };
}

function limitsOf(policy: string, limits: readonly Limit[]): NamedLimit[] {
  const argument = `policies.${policy}`;
  if (limits.length === 0 || limits.length > mostLimits) {
    throw new InvalidArgumentError(argument, `1 to ${mostLimits} limits`, limits.length);
  }
  if (!limits.every(isLimit)) throw new InvalidArgumentError(argument, "limits as window() makes them", limits);
  const isAlone = limits.length === 1;
  const all = limits.map((limit) => {
    if (limit.name === undefined && !isAlone) {
      throw new InvalidArgumentError(argument, "limits with a name each, as there are several", limit.kind);
    }
    return named(limit, limit.name ?? policy);
  });
  if (new Set(all.map(({ name }) => name)).size === all.length) return all;
  throw new InvalidArgumentError(argument, "limits with different names", all.map(({ name }) => name).join(", "));
}

function isLimit(value: Limit): boolean {
  return typeof value === "object" && value !== null && "kind" in value && "perMs" in value;
}

/** The share of one process among several. A bucket refills more slowly by a longer period, which loses no fraction. */
function share(limit: NamedLimit, instances: number): NamedLimit {
  const most = Math.max(1, Math.floor(limit.limit / instances));
  return { ...limit, limit: most, perMs: limit.kind === "bucket" ? limit.perMs * instances : limit.perMs };
}

function checkedForDenied(policy: string, limits: readonly NamedLimit[], lease: Duration | undefined): true {
  const argument = `policies.${policy}.countDenied`;
  if (lease !== undefined) throw new InvalidArgumentError(argument, "left out where there is a lease", true);
  const listed = limits.filter(({ kind }) => kind === "sliding-log" || kind === "concurrency");
  if (listed.length === 0) return true;
  throw new InvalidArgumentError(argument, "for windows and buckets", listed.map(({ kind }) => kind).join(", "));
}

function checkedLease(policy: string, limits: readonly NamedLimit[], lease: Duration): number {
  const argument = `policies.${policy}.lease`;
  if (limits.length !== 1 || limits[0]?.kind !== "bucket") {
    throw new InvalidArgumentError(argument, "for a policy of one bucket", limits.map(({ kind }) => kind).join(", "));
  }
  return parseDuration(lease, { argument, minMs: 1, maxMs: 60_000 });
}
