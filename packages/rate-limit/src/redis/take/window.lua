--@part window: hits by the piece of time: weighted (w), fixed (f) and strict (s) windows
-- A field holds "piece:hits:hits before:…". A strict window has several pieces, and so further numbers.

-- What a piece of a window holds, the newest first.
local function read_window(row, state)
  local now, parts = row.now, row.kind == 's' and tonumber(row.extra) or 1
  local piece = floor(now * parts / row.per)
  local at, old = piece, {}
  if state then
    local place = -1
    for digits in string.gmatch(state, '%d+') do
      if place < 0 then at = tonumber(digits) else old[place] = tonumber(digits) end
      place = place + 1
    end
  end
  local shift = max(0, piece - at)
  if piece - at < -parts then
    piece, row.moved = piece + parts, true
  elseif piece < at then
    piece = at
  end
  local counts = {}
  for place = 0, parts do counts[place] = old[place - shift] or 0 end
  row.parts, row.at, row.counts, row.age = parts, piece, counts, max(0, now * parts - piece * row.per)
end

-- From when on in a piece this room suffices, if that piece begins with so many hits in the one that fades.
local function start_of(row, room, oldest)
  if room < 0 then return math.huge end
  if row.kind == 'f' or oldest <= room then return 0 end
  return row.kind == 's' and math.huge or row.per - floor(room * row.per / oldest)
end

local function full_of(row)
  local full = 0
  for place = 0, row.parts - 1 do full = full + row.counts[place] end
  return full
end

local function window_wait(row, cost)
  local parts, counts, full, ahead = row.parts, row.counts, full_of(row), 0
  while true do
    local start = start_of(row, row.limit - full - cost, counts[parts - ahead] or 0)
    if ahead == 0 and start <= row.age then return 0 end
    if start < row.per then return ceil(((row.at + ahead) * row.per + start) / parts) - row.now end
    full = full - (counts[parts - 1 - ahead] or 0)
    ahead = ahead + 1
  end
end

local function window_remaining(row)
  local oldest = row.kind == 'f' and 0 or row.counts[row.parts]
  if row.kind == 'w' then oldest = ceil(oldest * (row.per - row.age) / row.per) end
  return max(0, row.limit - full_of(row) - oldest)
end

local function spend_window(row)
  row.counts[0] = max(row.counts[0], min(row.counts[0] + row.cost, 2 * row.limit))
  return row.at
end

local function window_state(row)
  if row.parts == 1 then return format('%.0f:%.0f:%.0f', row.at, row.counts[0], row.counts[1]), 2 * row.per end
  local texts = {}
  for place = 0, row.parts do texts[place + 1] = format('%.0f', row.counts[place]) end
  return format('%.0f:', row.at) .. concat(texts, ':'), 2 * row.per
end
