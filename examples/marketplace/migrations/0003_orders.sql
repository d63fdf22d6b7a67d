-- 0003 orders: what was bought, which ways an order may go, how it went, and who was told.
-- Locks: none on existing tables, but for a moment that of users, for the foreign key.
-- Rollback: drop the new tables, then the functions. All of them are new here.

-- Which state an order may be in after which. The trigger below lets no other change pass.
create table order_transitions (
  from_status text not null,
  to_status text not null,
  primary key (from_status, to_status)
);

insert into order_transitions (from_status, to_status) values
  ('pending', 'awaiting_payment'), ('pending', 'confirmed'), ('pending', 'cancelled'), ('pending', 'expired'),
  ('awaiting_payment', 'confirmed'), ('awaiting_payment', 'payment_failed'),
  ('awaiting_payment', 'cancelled'), ('awaiting_payment', 'expired'),
  ('payment_failed', 'awaiting_payment'), ('payment_failed', 'cancelled'), ('payment_failed', 'expired'),
  ('confirmed', 'fulfilling'), ('confirmed', 'shipped'), ('confirmed', 'refund_pending'),
  ('fulfilling', 'shipped'), ('fulfilling', 'refund_pending'),
  ('shipped', 'delivered'),
  ('refund_pending', 'refunded');

-- An order's id is the id of its reservation in the inventory.
create table orders (
  id uuid primary key,
  user_id uuid not null references users,
  source text not null check (source in ('order', 'flash')),
  status text not null default 'pending' check (status in (
    'pending', 'awaiting_payment', 'payment_failed', 'confirmed', 'fulfilling', 'shipped', 'delivered',
    'cancelled', 'expired', 'refund_pending', 'refunded')),
  total_minor bigint not null check (total_minor >= 0),
  currency text not null default 'NGN' check (currency = 'NGN'),
  -- Until when its units are held for it.
  expires_at timestamptz not null,
  version integer not null default 1 check (version > 0),
  created_at timestamptz not null default sluice_now(),
  updated_at timestamptz not null default sluice_now()
);

create index idx_orders_user_created on orders (user_id, created_at, id);
create index idx_orders_status on orders (status, created_at, id);
create index idx_orders_due on orders (expires_at) where status in ('pending', 'awaiting_payment', 'payment_failed');

-- Name and price as they were when it was bought. No foreign key to products: whoever changes a product would hold up
-- its sale, and a product is archived, never deleted.
create table order_items (
  order_id uuid not null references orders on delete cascade,
  product_id uuid not null,
  name text not null,
  quantity integer not null check (quantity > 0),
  price_minor bigint not null check (price_minor >= 0),
  primary key (order_id, product_id)
);

create index idx_order_items_product on order_items (product_id);

-- Append-only: one row per version of an order.
create table order_events (
  order_id uuid not null references orders on delete cascade,
  version integer not null,
  from_status text,
  to_status text not null,
  at timestamptz not null default sluice_now(),
  primary key (order_id, version)
);

create function orders_changed() returns trigger language plpgsql set search_path from current as $$
begin
  if new.status is distinct from old.status then
    if not exists (select from order_transitions where from_status = old.status and to_status = new.status) then
      raise exception 'An order that is % cannot become %', old.status, new.status using errcode = 'check_violation';
    end if;
    new.version := old.version + 1;
    new.updated_at := sluice_now();
  end if;
  return new;
end
$$;

create trigger orders_changed before update on orders for each row execute function orders_changed();

create function orders_noted() returns trigger language plpgsql set search_path from current as $$
begin
  if tg_op = 'INSERT' then
    insert into order_events (order_id, version, to_status) select id, version, status from after_change;
  else
    insert into order_events (order_id, version, from_status, to_status)
      select n.id, n.version, o.status, n.status
      from after_change n join before_change o on o.id = n.id where n.status <> o.status;
  end if;
  return null;
end
$$;

create trigger orders_placed_noted after insert on orders referencing new table as after_change
  for each statement execute function orders_noted();
create trigger orders_changed_noted after update on orders
  referencing old table as before_change new table as after_change
  for each statement execute function orders_noted();

-- What was sent, once per key: whoever is about to send writes the row first, and somebody else who does waits for it.
create table notifications (
  dedupe text primary key,
  kind text not null,
  sent_at timestamptz not null default sluice_now()
);
