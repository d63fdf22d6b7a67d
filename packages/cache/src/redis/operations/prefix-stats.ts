import type { RecordState } from "./inspect.ts";

/** The records of one scope. */
export interface ScopeRecords {
  readonly scope: string;
  readonly fresh: number;
  /** Past their time, or flushed softly. */
  readonly stale: number;
  /** Nobody can read them any more: what `reclaim` removes. */
  readonly ended: number;
  readonly bytes: number;
}

/** What is stored under a prefix. */
export interface PrefixStats {
  readonly prefix: string;
  readonly scopes: readonly ScopeRecords[];
  /** Keys that look like a record's, and hold none. */
  readonly foreign: number;
}

type Counts = { -readonly [Name in keyof ScopeRecords]: ScopeRecords[Name] };

const mostScopes = 1000;
const others = "(others)";

/** Counts records by scope. Of scopes above a thousand, which are no program's, there is one sum. */
export function countRecords() {
  const byScope = new Map<string, Counts>();
  return {
    add(identity: string, state: RecordState, bytes: number): void {
      const named = identity.split(" ", 1)[0] ?? "";
      const scope = byScope.has(named) || byScope.size < mostScopes ? named : others;
      const counts = byScope.get(scope) ?? { scope, fresh: 0, stale: 0, ended: 0, bytes: 0 };
      counts[state] += 1;
      counts.bytes += bytes;
      byScope.set(scope, counts);
    },
    scopes: (): readonly ScopeRecords[] => [...byScope.values()].toSorted((a, b) => (a.scope < b.scope ? -1 : 1)),
  };
}
