import type { Clock } from "@sluice/core";
import type pg from "pg";

/** How one host is used. All times in ms. */
export interface HostPlan {
  /** Name and port, without user and password. */
  readonly name: string;
  readonly max: number;
  readonly maxWaiting: number;
  readonly connectTimeoutMs: number;
  readonly acquireTimeoutMs: number;
  /** 0 for none. */
  readonly statementTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly probeMs: number;
  readonly clock: Clock;
  readonly client: pg.ClientConfig;
}

/** Refused by a pooler in transaction mode, which cannot keep a setting of one client apart from the others. */
export function isPoolerRefusal(error: unknown): boolean {
  return error instanceof Error && /unsupported startup parameter: statement_timeout/.test(error.message);
}

/** What `pg` is told. Poolers refuse a statement timeout at the start, so they are spared it. */
export function clientConfig({ client, statementTimeoutMs }: HostPlan, behindPooler: boolean): pg.ClientConfig {
  return behindPooler || statementTimeoutMs === 0 ? client : { ...client, statement_timeout: statementTimeoutMs };
}
