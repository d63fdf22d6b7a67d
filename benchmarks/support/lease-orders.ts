/** For how long a process may use what it has taken in advance. */
export const lease = "250ms";
export const leaseMs = 250;
/** More than all processes can call for. */
export const wide = { capacity: 500_000_000, refill: 500_000_000, every: "1s" } as const;
/** Much less than they call for. */
export const tight = { capacity: 1000, refill: 2000, every: "1s" } as const;

/** What the parent asks of a caller. */
export interface Order {
  readonly policy: "lease" | "redis" | "tight";
  /** In ms since the epoch. */
  readonly untilMs: number;
}

/** What the caller answers. */
export interface Report {
  /** Calls that were let through, where there is room for all. */
  readonly calls: number;
  /** When each of them came back, where there is not. */
  readonly passedAtMs: readonly number[];
}
