-- 0001 catalog: people, sellers, categories, products, listings and the rollups over them.
-- Locks: none on existing tables; creating pg_trgm locks the extension list for a moment.
-- Rollback: drop the tables in reverse order. All of them are new here.
-- Money is a whole number of minor units (kobo) beside its currency. The catalog trades in one currency, so that
-- prices compare.

create table users (
  id uuid primary key,
  email text not null unique check (email = lower(email)),
  name text not null,
  phone text not null,
  country text not null check (country ~ '^[A-Z]{2}$'),
  city text not null,
  created_at timestamptz not null default sluice_now(),
  updated_at timestamptz not null default sluice_now()
);

create table sellers (
  id uuid primary key,
  user_id uuid not null unique references users,
  name text not null,
  location text not null,
  created_at timestamptz not null default sluice_now(),
  updated_at timestamptz not null default sluice_now()
);

create table categories (
  id uuid primary key,
  slug text not null unique check (slug ~ '^[a-z0-9-]{1,64}$'),
  name text not null,
  created_at timestamptz not null default sluice_now()
);

create table products (
  id uuid primary key,
  seller_id uuid not null references sellers,
  category_id uuid not null references categories,
  name text not null check (length(name) between 1 and 200),
  description text not null check (length(description) <= 10000),
  price_minor bigint not null check (price_minor between 0 and 1000000000000),
  currency text not null default 'NGN' check (currency = 'NGN'),
  status text not null default 'active' check (status in ('active', 'archived')),
  version integer not null default 1 check (version > 0),
  created_at timestamptz not null default sluice_now(),
  updated_at timestamptz not null default sluice_now(),
  search tsvector not null generated always as (
    setweight(to_tsvector('english', name), 'A') || setweight(to_tsvector('english', description), 'B')
  ) stored
);

-- A page reads one of these from the cursor on, in order: no sort, whatever the depth.
create index idx_products_cursor_created on products (created_at, id);
create index idx_products_cursor_price on products (price_minor, id);
create index idx_products_category_created on products (category_id, created_at, id);
create index idx_products_category_price on products (category_id, price_minor, id);
create index idx_products_seller on products (seller_id);
create index idx_products_status on products (status);
create index idx_products_search on products using gin (search);

create table listings (
  id uuid primary key,
  seller_id uuid not null references sellers,
  category_id uuid not null references categories,
  name text not null check (length(name) between 1 and 200),
  description text not null check (length(description) <= 10000),
  location text not null,
  price_minor bigint not null check (price_minor between 0 and 1000000000000),
  currency text not null default 'NGN' check (currency = 'NGN'),
  status text not null default 'pending' check (status in ('draft', 'pending', 'approved', 'rejected', 'sold')),
  inspection_flag boolean not null default false,
  version integer not null default 1 check (version > 0),
  created_at timestamptz not null default sluice_now(),
  updated_at timestamptz not null default sluice_now(),
  search tsvector not null generated always as (
    setweight(to_tsvector('english', name), 'A') || setweight(to_tsvector('english', description), 'B')
  ) stored
);

-- Only approved listings are public, and only those are paged through.
create index idx_listings_public_created on listings (created_at, id) where status = 'approved';
create index idx_listings_public_price on listings (price_minor, id) where status = 'approved';
create index idx_listings_category_created on listings (category_id, created_at, id) where status = 'approved';
create index idx_listings_category_price on listings (category_id, price_minor, id) where status = 'approved';
create index idx_listings_location_created on listings (lower(location), created_at, id) where status = 'approved';
create index idx_listings_location_price on listings (lower(location), price_minor, id) where status = 'approved';
create index idx_listings_seller on listings (seller_id);
-- For those who look after the rest. With approved rows in it, the planner would page through it and sort.
create index idx_listings_status on listings (status, created_at, id) where status <> 'approved';
create index idx_listings_search on listings using gin (search) where status = 'approved';

-- Similar words help where a word is misspelt. Not every server has the extension, nor every role the right to it.
do $$
begin
  create extension if not exists pg_trgm;
  create index idx_products_name_trigrams on products using gin (name gin_trgm_ops);
  create index idx_listings_name_trigrams on listings using gin (name gin_trgm_ops) where status = 'approved';
exception
  when undefined_file or feature_not_supported or insufficient_privilege or undefined_object then
    raise notice 'pg_trgm cannot be created here: searches will not forgive misspelt words';
end
$$;

-- What the rollup job computes. One row per category and per price band of a category.
create table category_rollups (
  category_id uuid primary key references categories on delete cascade,
  product_count integer not null,
  listing_count integer not null,
  computed_at timestamptz not null
);

create table price_bands (
  category_id uuid not null references categories on delete cascade,
  band integer not null,
  product_count integer not null,
  primary key (category_id, band)
);

-- Which seed data this database holds. At most one row.
create table seed_runs (
  only_one boolean primary key default true check (only_one),
  size text not null,
  digests jsonb not null,
  seeded_at timestamptz not null default sluice_now()
);
