-- Locks: none on existing tables.
-- Every function takes the locks of its products first, in one statement and in the order of their ids, and decides in
-- the next one: a statement that has waited for a row still sees all other tables as they were before it waited.
-- What is refused is an answer, never an error, since an error would end the transaction of the caller.
-- A session keeps the plans that it made while the tables were small: a scan would cost more with every sale. So scans
-- are off, and ids are looked up one by one: a limit keeps the planner from making a join of it.

-- What two requests with one id must agree on. The length makes it injective.
create function inventory_line_text(p_product text, p_quantity bigint) returns text
language sql immutable parallel safe
as $$ select length(p_product) || ':' || p_product || '=' || p_quantity $$;

create function inventory_ms(p_at timestamptz) returns double precision
language sql immutable parallel safe
as $$ select (extract(epoch from p_at) * 1000)::double precision $$;

-- Which threshold a change has crossed, if any.
create function inventory_edge(p_before bigint, p_after bigint, p_low_at bigint) returns text
language sql immutable parallel safe
as $$ select case when p_before > p_low_at and p_after <= p_low_at then 'low_stock'
                  when p_before <= 0 and p_after > 0 then 'back_in_stock' end $$;

-- Products are distinct. p_replaces names an open reservation to let go of if, and only if, this one succeeds.
create function inventory_reserve(
  p_id uuid, p_products text[], p_quantities bigint[], p_ttl_ms double precision, p_reference text, p_replaces uuid
) returns jsonb language plpgsql set search_path from current set enable_seqscan = off as $$
declare
  mark bytea;
  known inventory_reservation;
  missing text;
  short record;
  -- One whose products are not locked below, since it came later, is let go of by nobody here.
  given text[] := array(select product_id from inventory_line where reservation_id = p_replaces);
  replaces boolean;
  due timestamptz;
  levels jsonb;
begin
  perform 1 from inventory
    where product_id = any (p_products || given) order by product_id for update;

  select sha256(convert_to(string_agg(inventory_line_text(w.p, w.q), ',' order by w.p collate "C"), 'UTF8')) into mark
    from unnest(p_products, p_quantities) as w (p, q);
  select * into known from inventory_reservation where id = p_id;
  if found then
    return jsonb_build_object('due', inventory_ms(known.expires_at), 'outcome', case
      when known.fingerprint <> mark then 'conflict'
      when known.state <> 'open' then known.state
      when known.expires_at <= sluice_now() then 'expired'
      else 'duplicate' end);
  end if;

  select w.p into missing from unnest(p_products) as w (p)
    where not exists (select from inventory s where s.product_id = w.p) order by w.p collate "C" limit 1;
  if found then
    return jsonb_build_object('outcome', 'unknown_product', 'product', missing);
  end if;

  replaces := given <> '{}' and exists (select from inventory_reservation where id = p_replaces and state = 'open');
  select s.product_id, s.on_hand - s.reserved as available into short
    from unnest(p_products, p_quantities) as w (p, q)
    join inventory s on s.product_id = w.p
    left join inventory_line l on replaces and l.reservation_id = p_replaces and l.product_id = s.product_id
    where s.on_hand - s.reserved + coalesce(l.quantity, 0) < w.q
    order by s.product_id limit 1;
  if found then
    return jsonb_build_object('outcome', 'sold_out', 'product', short.product_id, 'available', short.available);
  end if;

  -- The same id for other products was locked by nobody until here.
  insert into inventory_reservation (id, fingerprint, expires_at, reference)
    values (p_id, mark, sluice_now() + p_ttl_ms * interval '1 ms', p_reference)
    on conflict (id) do nothing returning expires_at into due;
  if not found then
    return jsonb_build_object('outcome', 'conflict');
  end if;
  insert into inventory_line select p_id, w.p, w.q from unnest(p_products, p_quantities) as w (p, q);
  if replaces then
    update inventory_reservation set state = 'released', resolved_at = sluice_now(), reason = 'replaced'
      where id = p_replaces and state = 'open';
  end if;

  with change as (
    select d.p, sum(d.q)::bigint as q from (
      select w.p, w.q from unnest(p_products, p_quantities) as w (p, q)
      union all
      select product_id, -quantity from inventory_line where replaces and reservation_id = p_replaces
    ) d group by d.p
  ), written as (
    update inventory s set reserved = s.reserved + c.q, version = s.version + 1, updated_at = sluice_now()
      from change c where s.product_id = c.p
      returning s.product_id, s.on_hand - s.reserved + c.q as before, s.on_hand - s.reserved as available, s.low_at, s.version
  ), noted as (
    insert into inventory_outbox (kind, product_id, available, version)
      select inventory_edge(before, available, low_at), product_id, available, version from written
      where inventory_edge(before, available, low_at) is not null
  )
  select jsonb_agg(jsonb_build_object('product', product_id, 'available', available, 'version', version)) into levels
    from written;
  return jsonb_build_object('outcome', 'reserved', 'due', inventory_ms(due), 'levels', levels);
end $$;

-- Group commit: many reservations of one product under one row lock, granted in their order, each that fits. Ids are
-- distinct. Codes: 1 reserved, 2 duplicate, 3 sold out, 4 conflict, 5 confirmed, 6 released, 7 expired, 8 unknown product.
create function inventory_reserve_batch(p_product text, p_ids uuid[], p_quantities bigint[], p_ttl_ms double precision)
returns jsonb language plpgsql set search_path from current set enable_seqscan = off set lock_timeout = '2s' as $$
declare
  s inventory;
  total int := cardinality(p_ids);
  codes int[] := array_fill(0, array[cardinality(p_ids)]);
  known jsonb;
  prefix text := length(p_product) || ':' || p_product || '=';
  due timestamptz;
  free bigint;
  wanted int := 0;
  won uuid[];
  edge text;
begin
  select * into s from inventory where product_id = p_product for update;
  if not found then
    return jsonb_build_object('codes', to_jsonb(array_fill(8, array[total])), 'available', 0, 'version', 0);
  end if;
  free := s.on_hand - s.reserved;

  -- A statement of its own: it sees whoever held the lock before.
  select jsonb_object_agg(w.place, jsonb_build_array(case
      when r.fingerprint <> sha256(convert_to(prefix || w.q, 'UTF8')) then 4
      when r.state = 'confirmed' then 5
      when r.state = 'released' then 6
      when r.state = 'expired' or r.expires_at <= sluice_now() then 7
      else 2 end, inventory_ms(r.expires_at))) into known
    from unnest(p_ids, p_quantities) with ordinality as w (id, q, place)
    cross join lateral (select * from inventory_reservation where id = w.id limit 1) r;

  if known is null and free >= (select sum(q) from unnest(p_quantities) as w (q)) then
    codes := array_fill(1, array[total]);
    wanted := total;
    free := free - (select sum(q) from unnest(p_quantities) as w (q));
  else
    for i in 1 .. total loop
      if known ? i::text then
        codes[i] := (known -> i::text ->> 0)::int;
      elsif p_quantities[i] <= free then
        codes[i] := 1; wanted := wanted + 1; free := free - p_quantities[i];
      else
        codes[i] := 3;
      end if;
    end loop;
  end if;

  due := sluice_now() + p_ttl_ms * interval '1 ms';
  while wanted > 0 loop
    -- In the order of the ids: two batches of different products that share some wait for each other in one order.
    with put as (
      insert into inventory_reservation (id, fingerprint, expires_at)
        select w.id, sha256(convert_to(prefix || w.q, 'UTF8')), due
        from unnest(p_ids, p_quantities, codes) as w (id, q, code) where w.code = 1 order by w.id
        on conflict (id) do nothing returning id
    )
    select array_agg(id) into won from put;
    exit when cardinality(won) = wanted;
    -- Some ids went to other products meanwhile. Their units go to those who were refused.
    wanted := 0;
    for i in 1 .. total loop
      if codes[i] = 1 and p_ids[i] = any (won) then
        codes[i] := 9;
      elsif codes[i] = 1 then
        codes[i] := 4; free := free + p_quantities[i];
      end if;
    end loop;
    for i in 1 .. total loop
      if codes[i] = 3 and p_quantities[i] <= free then
        codes[i] := 1; wanted := wanted + 1; free := free - p_quantities[i];
      end if;
    end loop;
  end loop;

  if free < s.on_hand - s.reserved then
    insert into inventory_line select w.id, p_product, w.q
      from unnest(p_ids, p_quantities, codes) as w (id, q, code) where w.code in (1, 9);
    edge := inventory_edge(s.on_hand - s.reserved, free, s.low_at);
    update inventory set reserved = on_hand - free, version = version + 1, updated_at = sluice_now()
      where product_id = p_product returning * into s;
    if edge is not null then
      insert into inventory_outbox (kind, product_id, available, version) values (edge, p_product, free, s.version);
    end if;
  end if;
  return jsonb_build_object('codes', to_jsonb(array_replace(codes, 9, 1)), 'available', free, 'version', s.version,
    'due', inventory_ms(due), 'known', known);
end $$;

-- Ends open reservations: p_to is confirmed, released or expired. p_late says what a confirmation after the deadline
-- does: reject it, take it if-held still, or reacquire what has expired if it is still there.
create function inventory_resolve(p_ids uuid[], p_to text, p_late text, p_reason text)
returns jsonb language plpgsql set search_path from current set enable_seqscan = off as $$
declare
  late uuid;
  hit uuid[];
  levels jsonb;
begin
  perform 1 from inventory
    where product_id = any (array(select product_id from inventory_line where reservation_id = any (p_ids)))
    order by product_id for update;

  if p_to = 'confirmed' and p_late = 'reacquire' then
    for late in select id from inventory_reservation where id = any (p_ids) and state = 'expired' order by id loop
      continue when exists (
        select from inventory_line l join inventory s using (product_id)
        where l.reservation_id = late and s.on_hand - s.reserved < l.quantity);
      update inventory_reservation set state = 'open', resolved_at = null where id = late;
      with written as (
        update inventory s set reserved = s.reserved + l.quantity, version = s.version + 1, updated_at = sluice_now()
          from inventory_line l where l.reservation_id = late and s.product_id = l.product_id
          returning s.product_id, s.on_hand - s.reserved + l.quantity as before, s.on_hand - s.reserved as available, s.low_at, s.version
      )
      insert into inventory_outbox (kind, product_id, available, version)
        select inventory_edge(before, available, low_at), product_id, available, version from written
        where inventory_edge(before, available, low_at) is not null;
    end loop;
  end if;

  with ended as (
    update inventory_reservation set state = p_to, resolved_at = sluice_now(), reason = p_reason
      where id = any (p_ids) and state = 'open' and case p_to
        when 'confirmed' then p_late <> 'reject' or expires_at > sluice_now()
        when 'expired' then expires_at <= sluice_now()
        else true end
      returning id
  )
  select coalesce(array_agg(id), '{}') into hit from ended;

  with change as (
    select product_id, sum(quantity)::bigint as q from inventory_line where reservation_id = any (hit) group by product_id
  ), written as (
    update inventory s set reserved = s.reserved - c.q, on_hand = s.on_hand - case p_to when 'confirmed' then c.q else 0 end,
        version = s.version + 1, updated_at = sluice_now()
      from change c where s.product_id = c.product_id
      returning s.product_id, s.on_hand - s.reserved as available, s.low_at, s.version,
        s.on_hand - s.reserved - case p_to when 'confirmed' then 0 else c.q end as before
  ), sold as (
    insert into inventory_movement (product_id, kind, delta, dedupe)
      select product_id, 'sale', -quantity, 'sale:' || reservation_id || ':' || product_id
      from inventory_line where p_to = 'confirmed' and reservation_id = any (hit)
  ), noted as (
    insert into inventory_outbox (kind, product_id, available, version)
      select inventory_edge(before, available, low_at), product_id, available, version from written
      where inventory_edge(before, available, low_at) is not null
  )
  select jsonb_agg(jsonb_build_object('product', product_id, 'available', available, 'version', version)) into levels
    from written;

  return jsonb_build_object('levels', levels, 'outcomes', (
    select jsonb_agg(jsonb_build_array(
      case when r.id is null then 'missing'
           when r.state = 'open' and p_to = 'confirmed' then 'late'
           else r.state end, coalesce(h.id is not null, false)) order by w.place)
    from unnest(p_ids) with ordinality as w (id, place)
    left join lateral (select * from inventory_reservation where id = w.id limit 1) r on true
    left join unnest(hit) as h (id) on h.id = w.id));
end $$;

-- Restock and adjust, once per key.
create function inventory_move(p_product text, p_kind text, p_delta bigint, p_key text)
returns jsonb language plpgsql set search_path from current set enable_seqscan = off as $$
declare
  s inventory;
  known record;
  edge text;
  outcome text;
begin
  if p_kind = 'restock' then
    insert into inventory (product_id) values (p_product) on conflict do nothing;
  end if;
  select * into s from inventory where product_id = p_product for update;
  if not found then
    return jsonb_build_object('outcome', 'unknown_product');
  end if;

  select product_id, kind, delta into known from (
    select product_id, kind, delta from inventory_movement where dedupe = p_kind || ':' || p_key
    union all
    select product_id, kind, delta from inventory_movement_archive where dedupe = p_kind || ':' || p_key and kind <> 'sale'
  ) m limit 1;
  if found then
    outcome := case when known.product_id = p_product and known.delta = p_delta then 'duplicate' else 'conflict' end;
  elsif s.on_hand + p_delta < s.reserved or s.on_hand + p_delta > 9007199254740991 then
    outcome := 'refused';
  else
    insert into inventory_movement (product_id, kind, delta, dedupe)
      values (p_product, p_kind, p_delta, p_kind || ':' || p_key) on conflict (dedupe) do nothing;
    outcome := case when found then 'applied' else 'conflict' end;
  end if;

  if outcome = 'applied' then
    edge := inventory_edge(s.on_hand - s.reserved, s.on_hand - s.reserved + p_delta, s.low_at);
    update inventory set on_hand = on_hand + p_delta, version = version + 1, updated_at = sluice_now()
      where product_id = p_product returning * into s;
    if edge is not null then
      insert into inventory_outbox (kind, product_id, available, version)
        values (edge, p_product, s.on_hand - s.reserved, s.version);
    end if;
  end if;
  return jsonb_build_object('outcome', outcome, 'available', s.on_hand - s.reserved, 'version', s.version);
end $$;
