--@part bucket: what is missing in a bucket that fills steadily (b)
-- A field holds "at_ms:debt:refill". A unit is per of debt, and refill of it flows back each millisecond.

local function read_bucket(row, state)
  local now = row.now
  local at, debt = match(state or '', '(%d+):(%d+)')
  row.refill, row.debt = row.refill or tonumber(row.extra), 0
  if not at then return end
  at, debt = tonumber(at), tonumber(debt)
  -- A clock that steps back takes back what has flowed since, by one full bucket at most.
  row.debt = max(0, min(debt - (now - at) * row.refill, max(debt, row.limit * row.per)))
  row.moved = now < at
end

local function bucket_wait(row, cost)
  return max(0, ceil((row.debt - (row.limit - cost) * row.per) / row.refill))
end

local function bucket_remaining(row)
  return max(0, floor((row.limit * row.per - row.debt) / row.per))
end

local function spend_bucket(row)
  row.debt = max(row.debt, min(row.debt + row.cost * row.per, 2 * row.limit * row.per))
  return 0
end

local function bucket_state(row)
  return format('%.0f:%.0f:%.0f', row.now, row.debt, row.refill), ceil(row.debt / row.refill)
end
