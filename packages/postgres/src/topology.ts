import type { Clock, Random } from "@sluice/core";

import { PostgresUnavailableError } from "./connect-errors.ts";
import { createFreshness, type Shown } from "./freshness.ts";
import type { Host } from "./host.ts";
import { createRounds, type Rounds } from "./rounds.ts";
import { postgresEvents } from "./telemetry.ts";
import { verdictOn, type Standing, type Verdict } from "./verdict.ts";

/** What {@link createTopology} watches. */
export interface TopologyPlan {
  readonly hosts: readonly Host[];
  /** Names of hosts that are never written. */
  readonly readersOnly: ReadonlySet<string>;
  readonly probeMs: number;
  /** How long the answers of several hosts hold without being asked again. */
  readonly trustMs: number;
  readonly clock: Clock;
  readonly random: Random;
}

/** Knows which host is the primary, and how fresh the others are. */
export interface Topology {
  /** The rounds in which the hosts are asked. */
  readonly rounds: Pick<Rounds, "run" | "touch" | "within">;
  /**
   * The host to write. Waits only for the first answers: while there is no primary, calls are refused at once.
   *
   * @throws `ERR_SLUICE_POSTGRES_UNAVAILABLE`
   */
  primary(): Promise<Host>;
  /** The primary as it is known now. */
  current(): Host | undefined;
  /** What the replica shows, unless that is not known. */
  shown(host: Host): Shown | undefined;
  /** Asks soon, because a host gave an error that may mean a lost role. */
  suspect(host: Host): void;
  close(): void;
}

/** Asks the hosts when it is needed, and acts on what they say. */
export function createTopology({ hosts, readersOnly, probeMs, trustMs, clock, random }: TopologyPlan): Topology {
  const freshness = createFreshness();
  let standing: Standing = { incumbent: undefined, up: false, line: undefined };
  let troubleMs: number | undefined;
  let closed = false;
  let cause: unknown;
  const current = (): Host | undefined => (standing.up ? standing.incumbent : undefined);
  const refusal = (): PostgresUnavailableError => refusalOf(hosts, { closed, cause });

  async function ask(): Promise<void> {
    const answers = await Promise.all(hosts.map((host) => host.ask()));
    if (closed) return;
    const before = current();
    const verdict = verdictOn({ before: standing, hosts, answers, readersOnly });
    standing = verdict.standing;
    cause = answers.find(({ error }) => error !== undefined)?.error;
    carryOut(verdict, hosts);
    freshness.note(verdict.findings, verdict.primary);
    if (current() !== before) {
      before?.refuse(refusal);
      announce({ before, now: current(), afterMs: clock.monotonic() - (troubleMs ?? rounds.startedMs) });
    }
    if (standing.up) troubleMs = undefined;
  }

  const rounds = createRounds({
    clock,
    random,
    probeMs,
    ask,
    isWell: () => current() !== undefined,
    // Several hosts are asked again and again, and one alone only when it is in trouble.
    rest: () => hosts.length > 1 || standing.incumbent?.rest(),
  });

  return {
    rounds,
    current,
    shown: (host) => (host.role === "replica" ? freshness.of(host.name) : undefined),
    async primary() {
      // A promotion elsewhere is not seen by those who only talk to the old primary.
      await rounds.within(hosts.length > 1 ? trustMs : Number.POSITIVE_INFINITY);
      if (hosts.length > 1) rounds.touch();
      const host = current();
      if (!host || closed) throw refusal();
      return host;
    },
    suspect(host) {
      if (host === standing.incumbent) troubleMs ??= clock.monotonic();
      else host.note("unknown");
      rounds.soon();
    },
    close() {
      closed = true;
      rounds.close();
    },
  };
}

function carryOut({ findings, left }: Verdict, hosts: readonly Host[]): void {
  for (const [index, { role }] of findings.entries()) hosts[index]?.note(role);
  for (const host of left) host.evict();
}

interface Change {
  readonly before: Host | undefined;
  readonly now: Host | undefined;
  readonly afterMs: number;
}

function announce({ before, now, afterMs }: Change): void {
  if (before) postgresEvents.publish({ type: "primary-lost", host: before.name, role: before.role });
  if (now) postgresEvents.publish({ type: "primary-found", host: now.name, afterMs });
}

function refusalOf(hosts: readonly Host[], { closed, cause }: { closed: boolean; cause: unknown }) {
  const found = hosts.map(({ name, role }) => ({ host: name, role }));
  // Whether all who answer refuse: a wrong password looks otherwise than a lost primary.
  const answering = found.filter(({ role }) => role !== "down");
  const isRefused = answering.length > 0 && answering.every(({ role }) => role === "refused");
  const reason = closed ? "closed" : isRefused ? "refused" : "no-primary";
  return new PostgresUnavailableError(reason, found, cause === undefined ? {} : { cause });
}
