-- Locks: none on existing tables.
-- No foreign keys to inventory: a child row that is inserted would have to wait for the lock of a hot product.

-- Half-filled pages leave room for the next versions of a hot row beside it, and no index holds what changes.
create table inventory (
  product_id text collate "C" primary key,
  on_hand bigint not null default 0,
  reserved bigint not null default 0,
  low_at bigint not null default 0 check (low_at >= 0),
  version bigint not null default 0,
  updated_at timestamptz not null default sluice_now(),
  constraint inventory_range check (reserved >= 0 and reserved <= on_hand and on_hand <= 9007199254740991)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

create table inventory_reservation (
  id uuid primary key,
  state text not null default 'open' check (state in ('open', 'confirmed', 'released', 'expired')),
  fingerprint bytea not null,
  expires_at timestamptz not null,
  resolved_at timestamptz,
  reference text,
  reason text,
  created_at timestamptz not null default sluice_now(),
  check ((state = 'open') = (resolved_at is null))
);
create index inventory_reservation_due on inventory_reservation (expires_at) where state = 'open';
create index inventory_reservation_resolved on inventory_reservation (resolved_at) where state <> 'open';

-- Never updated.
create table inventory_line (
  reservation_id uuid not null,
  product_id text collate "C" not null,
  quantity bigint not null check (quantity between 1 and 2147483647),
  primary key (reservation_id, product_id)
);

-- Append-only. Rows are written under the lock of their product, so that the greatest seq of a product is final there.
create table inventory_movement (
  seq bigint generated always as identity primary key,
  product_id text collate "C" not null,
  kind text not null check (kind in ('restock', 'sale', 'adjust')),
  delta bigint not null check (delta <> 0),
  dedupe text not null unique,
  at timestamptz not null default sluice_now()
);
create index inventory_movement_product on inventory_movement (product_id, seq);

-- Movements that a checkpoint covers may move here. Their keys are still known.
create table inventory_movement_archive (
  seq bigint primary key,
  product_id text collate "C" not null,
  kind text not null,
  delta bigint not null,
  dedupe text not null,
  at timestamptz not null
);
create index inventory_movement_archive_key on inventory_movement_archive (dedupe) where kind <> 'sale';

-- What all movements of a product up to seq add up to.
create table inventory_checkpoint (
  product_id text collate "C" primary key,
  seq bigint not null,
  on_hand bigint not null,
  at timestamptz not null default sluice_now()
);

create table inventory_outbox (
  seq bigint generated always as identity primary key,
  kind text not null check (kind in ('low_stock', 'back_in_stock')),
  product_id text collate "C" not null,
  available bigint not null,
  version bigint not null,
  at timestamptz not null default sluice_now()
);

-- Empty, always: one statement, so one snapshot, and no locks. It costs a row per product, the movements since the
-- checkpoint, and the open holds; it does not grow with what was ever sold.
create view inventory_violations as
select product_id, s.on_hand, m.moved, s.reserved, coalesce(o.open, 0) as open
from inventory s
full join (
  select l.product_id, sum(l.quantity) as open
  from inventory_reservation r join inventory_line l on l.reservation_id = r.id
  where r.state = 'open'
  group by l.product_id
) o using (product_id)
left join inventory_checkpoint c using (product_id)
cross join lateral (
  select coalesce(c.on_hand, 0) + coalesce(sum(e.delta), 0) as moved
  from inventory_movement e
  -- As rows between two bounds, so that the planner has only the index of both columns to go by, and expects few.
  where (e.product_id, e.seq) > (coalesce(s.product_id, o.product_id), coalesce(c.seq, 0))
    and (e.product_id, e.seq) <= (coalesce(s.product_id, o.product_id), 9223372036854775807)
) m
where s.product_id is null or s.on_hand <> m.moved or s.reserved <> coalesce(o.open, 0)
  or s.reserved > s.on_hand or s.reserved < 0;
