import { newPrimary, withStale, type Finding } from "./finding.ts";
import type { Host } from "./host.ts";
import type { Line } from "./mark.ts";

/** Which host is the primary, as far as is known. */
export interface Standing {
  /** The last host that was written. */
  readonly incumbent: Host | undefined;
  /** Whether it may be written now. */
  readonly up: boolean;
  /** The newest line that was seen to be written. */
  readonly line: Line | undefined;
}

/** What the answers of one round amount to. */
export interface Verdict {
  readonly standing: Standing;
  /** The answers, with stale primaries told apart. */
  readonly findings: readonly Finding[];
  /** The answer of the primary. */
  readonly primary: Finding | undefined;
  /** Hosts whose clients must go. */
  readonly left: readonly Host[];
}

/** What a {@link Verdict} is found from. */
export interface Evidence {
  readonly before: Standing;
  readonly hosts: readonly Host[];
  /** One per host, in their order. */
  readonly answers: readonly Finding[];
  /** Names of hosts that are never written. */
  readonly readersOnly: ReadonlySet<string>;
}

/**
 * Weighs the answers. Silence alone takes a host out of use, but destroys nobody's client while no other primary is
 * known: what is under way there may still be answered.
 */
export function verdictOn({ before, hosts, answers, readersOnly }: Evidence): Verdict {
  const findings = withStale(answers, before);
  const known = { incumbent: before.incumbent?.name, line: before.line, readersOnly };
  const primary = newPrimary(findings, known);
  const pairs = hosts.flatMap((host, index) => {
    const finding = findings[index];
    return finding ? [{ host, finding }] : [];
  });
  const found = pairs.find(({ host }) => host === before.incumbent);
  const kept = found && isUntold(found.finding) ? found : undefined;
  const now = pairs.find(({ finding }) => finding === primary) ?? kept;
  const left = pairs.filter(({ host, finding }) => {
    if (host === now?.host) return false;
    return host === before.incumbent || (finding.role !== "replica" && !lives(host, finding));
  });
  return {
    standing: {
      incumbent: now?.host,
      up: now !== undefined && (now !== kept || lives(now.host, now.finding)),
      line: primary?.position ?? before.line,
    },
    findings,
    primary,
    left: left.map(({ host }) => host),
  };
}

/** Whether the host said nothing about its role. */
function isUntold({ role }: Finding): boolean {
  return role === "down" || role === "refused";
}

/** A host that refuses newcomers, or has answered others since it was asked, is not dead. */
function lives(host: Host, { role, askedMs }: Finding): boolean {
  return role === "refused" || (role === "down" && host.answeredMs >= askedMs);
}
