import { InvalidArgumentError } from "@sluice/core";

/** What {@link installSkewedClock} needs of a connection or pool, such as one of `pg`. */
export interface SkewableDatabase {
  /** Runs one statement. */
  query(text: string, params?: unknown[]): Promise<{ readonly rows: readonly unknown[] }>;
}

/**
 * Lets a test decide what time the SQL of a package reads: replaces the function `sluice_now()` of a schema by one
 * that adds the setting `sluice.skew` to the server's clock. A session changes its own time with
 * `set sluice.skew = '5 minutes'`; for sessions to come there is `alter database … set sluice.skew = …`. Without the
 * setting nothing changes. Two round trips.
 *
 * @param schema - As it is named in the catalogue, such as `"sluice"`.
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` when that schema has no `sluice_now()`.
 */
export async function installSkewedClock(database: SkewableDatabase, schema: string): Promise<void> {
  const { rows } = await database.query(
    `select from pg_proc join pg_namespace on pg_namespace.oid = pronamespace
      where nspname = $1 and proname = 'sluice_now' and pronargs = 0`,
    [schema],
  );
  if (rows.length === 0) throw new InvalidArgumentError("schema", "one that has the function sluice_now()", schema);
  await database.query(
    `create or replace function "${schema.replaceAll('"', '""')}".sluice_now() returns timestamptz
      language sql volatile parallel safe
      return clock_timestamp() + coalesce(nullif(current_setting('sluice.skew', true), ''), '0')::interval`,
  );
}
