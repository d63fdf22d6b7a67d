--@part kinds: the same questions to every kind of limit

--@include window.lua
--@include bucket.lua
--@include entries.lua

-- A row with debt is a bucket, one with entries a log or slots, any other a window.
local function read(row, state)
  if row.kind == 'b' then return read_bucket(row, state) end
  if row.kind == 'l' or row.kind == 'c' then return read_entries(row, state) end
  return read_window(row, state)
end

local function wait_of(row, cost)
  if cost > row.limit then return -1 end
  if row.debt then return bucket_wait(row, cost) end
  if row.entries then return entries_wait(row, cost) end
  return window_wait(row, cost)
end

local function remaining_of(row)
  if row.debt then return bucket_remaining(row) end
  if row.entries then return entries_remaining(row) end
  return window_remaining(row)
end

-- Spends in memory and answers where it was booked.
local function spend(row)
  if row.debt then return spend_bucket(row) end
  if row.entries then return spend_entries(row) end
  return spend_window(row)
end

-- The state as it is kept, and for how long it matters.
local function state_of(row)
  if row.debt then return bucket_state(row) end
  if row.entries then return row.entries, row.per end
  return window_state(row)
end
