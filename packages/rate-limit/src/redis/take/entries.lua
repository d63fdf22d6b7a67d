--@part entries: one entry for each unit: sliding logs (l) and slots (c)
-- A field holds a sorted string: for each entry 13 digits, until when it counts, then the token of a slot.

-- Entries that still count, as a string without those that do not.
local function read_entries(row, state)
  local now = row.now
  state = state or ''
  local width = 13 + #row.extra
  local count = #state / width
  local last = count > 0 and tonumber(sub(state, -width, 12 - width)) or 0
  local ahead = last - (now + row.per)
  if ahead > 0 then
    local moved = {}
    for place = 1, count do
      local entry = sub(state, (place - 1) * width + 1, place * width)
      moved[place] = format('%013.0f', max(0, tonumber(sub(entry, 1, 13)) - ahead)) .. sub(entry, 14)
    end
    state, row.moved = concat(moved), true
  end
  local low, high = 0, count
  while low < high do
    local middle = floor((low + high) / 2)
    if tonumber(sub(state, middle * width + 1, middle * width + 13)) > now then high = middle else low = middle + 1 end
  end
  row.width, row.used, row.entries = width, count - low, sub(state, low * width + 1)
end

local function entries_wait(row, cost)
  local too_many = row.used + cost - row.limit
  if too_many <= 0 then return 0 end
  local first = (too_many - 1) * row.width + 1
  return (tonumber(sub(row.entries, first, first + 12)) or row.now) - row.now
end

local function entries_remaining(row)
  return max(0, row.limit - row.used)
end

local function spend_entries(row)
  local stamp = row.now + row.per
  row.used = row.used + row.cost
  row.entries = row.entries .. rep(format('%013.0f', stamp) .. row.extra, row.cost)
  return stamp
end
