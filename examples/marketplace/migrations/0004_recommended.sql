-- 0004 recommended: how much was bought lately in a category, and what finds the newest of a category in one place.
-- Locks: category_rollups exclusively for a moment, as a column with a constant default rewrites no row; listings against
-- writes while the index is built, which is well below a second for 100,000 rows. Statistics lock nothing.
-- Rollback: drop the statistics, the index and the column. Releases from before neither read nor write them.

alter table category_rollups add column units_sold bigint not null default 0 check (units_sold >= 0);

create index idx_listings_category_location on listings (category_id, lower(location), created_at, id)
  where status = 'approved';

-- The planner takes no statistics of an expression from a partial index, and would guess that each place has one
-- listing of two hundred.
create statistics listings_location on (lower(location)) from listings;
