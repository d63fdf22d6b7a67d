import type { Migration } from "@sluice/postgres";

/** The table of the outbox, for `migrate(db, { package: "cache", migrations: cacheMigrations })`. */
export const cacheMigrations: readonly Migration[] = [
  {
    name: "0001_cache_outbox",
    sql: `-- Locks: none on existing tables. Way back: drop the table; what waits in it is then not invalidated.
-- Rows live for milliseconds. They are claimed with SKIP LOCKED in the order of their ids.
create table cache_outbox (
  id bigint generated always as identity primary key,
  targets jsonb not null,
  added_at timestamptz not null default sluice_now(),
  version smallint not null default 1
);
`,
  },
];
