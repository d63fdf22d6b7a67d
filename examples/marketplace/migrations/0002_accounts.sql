-- 0002 accounts: roles, credentials, and families of refresh tokens.
-- Locks: users exclusively for a moment, to add two columns with constant defaults; no table is rewritten.
-- Rollback: drop the new tables, the trigger with its function, and the new columns. Everybody logs in again.

alter table users
  add column role text not null default 'user' check (role in ('user', 'admin')),
  -- Access tokens carry it. One that carries another number is refused.
  add column auth_version integer not null default 1 check (auth_version > 0),
  -- Who registers tells no more than name and email.
  alter column phone drop not null,
  alter column country drop not null,
  alter column city drop not null;

-- Whoever changes a role, by whatever way, ends the access tokens that were issued for the old one.
create function users_role_changed() returns trigger language plpgsql as $$
begin
  new.auth_version := old.auth_version + 1;
  return new;
end
$$;

create trigger users_role_changed before update of role on users
  for each row when (old.role is distinct from new.role) execute function users_role_changed();

-- Apart from users, so that no query for a user brings a hash along.
create table credentials (
  user_id uuid primary key references users on delete cascade,
  password_hash text not null check (password_hash like '$argon2id$%'),
  updated_at timestamptz not null default sluice_now()
);

-- One family per login. All its tokens end with it.
create table refresh_families (
  id uuid primary key,
  user_id uuid not null references users on delete cascade,
  created_at timestamptz not null default sluice_now(),
  revoked_at timestamptz,
  revoked_for text check (revoked_for in ('logout', 'logout_all', 'reuse', 'limit', 'password')),
  check ((revoked_at is null) = (revoked_for is null))
);

create index idx_refresh_families_user on refresh_families (user_id, created_at);

-- A family's tokens are a chain: each is replaced by one other. The tokens themselves are stored nowhere.
create table refresh_tokens (
  hash bytea primary key check (length(hash) = 32),
  family_id uuid not null references refresh_families on delete cascade,
  -- Unique: however many refreshes run at once, a token has one successor.
  predecessor bytea unique,
  issued_at timestamptz not null default sluice_now(),
  expires_at timestamptz not null,
  rotated_at timestamptz,
  -- The token that replaced this one, encrypted with a key that is derived from this one.
  successor bytea,
  check (successor is null or rotated_at is not null)
);

create index idx_refresh_tokens_family on refresh_tokens (family_id);
create index idx_refresh_tokens_expiry on refresh_tokens (expires_at);
