import type { Migration } from "./migration.ts";

/**
 * Creates `sluice_now()`, from which all SQL of Sluice reads the time. It is `clock_timestamp()`: the wall time of the
 * server at the moment of the call, unlike `now()`, which stands still within a transaction. Tests may replace the
 * function. {@link migrate} installs this migration first, for the package `postgres`.
 */
export const sluiceNow: Migration = {
  name: "0001_sluice_now",
  sql: `-- Locks: none. A plain SQL function, so that the planner puts its body in place of the call.
create function sluice_now() returns timestamptz language sql volatile parallel safe
  as $$ select pg_catalog.clock_timestamp() $$;
`,
};
