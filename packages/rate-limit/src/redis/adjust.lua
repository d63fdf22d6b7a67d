--[[
adjust: corrects what take spent, where it was booked.

KEYS[1]   subject  hash: a field per limit, as take describes them
ARGV[1]   now_ms   test clock, or -1 for this server's TIME
ARGV[2..] changes  seven each: field, delta (below 0 gives back, above charges, 0 renews slots), stamp of the take or
                   for a bucket what is booked, now_ms of the take, limit, ms, and for slots their token
returns   per change what was applied; for a renewal 1, or 0 when the slots are gone
O(limits); a log or slots add O(limit); one slot.
What a window has forgotten is neither given back nor charged, so a late refund never lands in the next window, and a
subject that has expired is not brought back to life. What a correction makes count for longer keeps the key for as long:
debt of a bucket that is charged more, and slots that are renewed. Windows are kept for two of them by take already.
An override holds for what may be charged, as it does for what may be spent.
A bucket gives back only what cannot have flowed back since, as it might have been full meanwhile, and is overdrawn by
one bucket at most. Slots are known by their token, so releasing twice is releasing once.
]]
local floor, ceil, max, min = math.floor, math.ceil, math.max, math.min
local format, match, sub, call = string.format, string.match, string.sub, redis.call

--@include keep-alive.lua

local now = tonumber(ARGV[1])
if now < 0 then
  local time = call('TIME')
  now = time[1] * 1000 + floor(time[2] / 1000)
end

-- The limit that holds: an override replaces that of the call.
local function limit_of(field, limit)
  local name, marks = match(field, '^..:(.+)@'), call('HGET', KEYS[1], '!') or ''
  for other, instead, ends in string.gmatch(marks, '([^|,]+),(%d+),%d+,(%d+)') do
    if other == name and tonumber(ends) > now then return tonumber(instead) end
  end
  return limit
end

-- What take has put in front while the subject has marks.
local function mark_of(state)
  return sub(state, 1, 1) == '!' and '!' or ''
end

local function adjust_counter(state, change)
  local numbers = {}
  for digits in string.gmatch(state, '%d+') do numbers[#numbers + 1] = tonumber(digits) end
  local place = numbers[1] - change.stamp + 2
  local count = place >= 2 and numbers[place]
  if not count then return 0 end
  local applied = max(-count, change.delta)
  numbers[place] = count + applied
  for index, number in ipairs(numbers) do numbers[index] = format('%.0f', number) end
  return applied, mark_of(state) .. table.concat(numbers, ':'), 0
end

local function adjust_bucket(state, change)
  local at, owing, refill = match(state, '(%d+):(%d+):(%d+)')
  at, owing, refill = tonumber(at), tonumber(owing), tonumber(refill)
  local before = max(0, owing - max(0, now - at) * refill)
  local debt
  if change.delta > 0 then
    debt = max(before, min(before + change.delta * change.per, 2 * change.limit * change.per))
  else
    local owed = min(before, change.stamp * change.per - max(0, now - change.taken_at) * refill)
    debt = before - max(0, min(-change.delta * change.per, owed))
  end
  local applied = change.delta > 0 and change.delta or floor((debt - before) / change.per)
  return applied, mark_of(state) .. format('%.0f:%.0f:%.0f', max(now, at), debt, refill), ceil(debt / refill)
end

-- A log knows the entries of a call by their time, slots by their token.
local function adjust_entries(state, change)
  local width, stamp = 13 + #change.extra, format('%013.0f', change.stamp)
  local before, after, removed = {}, {}, 0
  local to_remove = change.delta == 0 and #state or -change.delta
  for first = 1, #state, width do
    local entry = sub(state, first, first + width - 1)
    local is_mine = change.extra == '' and entry == stamp or change.extra ~= '' and sub(entry, 14) == change.extra
    if is_mine and removed < to_remove then
      removed = removed + 1
    elseif sub(entry, 1, 13) <= stamp then
      before[#before + 1] = entry
    else
      after[#after + 1] = entry
    end
  end
  if change.delta == 0 then
    local renewed = string.rep(format('%013.0f', now + change.per) .. change.extra, removed)
    return min(1, removed), table.concat(before) .. table.concat(after) .. renewed, change.per
  end
  local added = 0
  if change.delta > 0 and change.stamp > now then
    added = max(0, min(change.delta, 2 * change.limit - #state / width))
  end
  return added - removed, table.concat(before) .. string.rep(stamp .. change.extra, added) .. table.concat(after), 0
end

local applied = {}
for base = 2, #ARGV, 7 do
  local field = ARGV[base]
  local change = { extra = ARGV[base + 6] }
  change.delta, change.stamp = tonumber(ARGV[base + 1]), tonumber(ARGV[base + 2])
  change.taken_at = tonumber(ARGV[base + 3])
  change.limit, change.per = tonumber(ARGV[base + 4]), tonumber(ARGV[base + 5])
  if change.delta > 0 then change.limit = limit_of(field, change.limit) end
  local state, kind = call('HGET', KEYS[1], field), sub(field, 1, 1)
  local done, text, life = 0, nil, 0
  if state and kind == 'b' then done, text, life = adjust_bucket(state, change)
  elseif state and (kind == 'l' or kind == 'c') then done, text, life = adjust_entries(state, change)
  elseif state then done, text, life = adjust_counter(state, change) end
  if text and done ~= 0 then
    call('HSET', KEYS[1], field, text)
    if life > 0 then keep_alive(KEYS[1], life) end
  end
  applied[#applied + 1] = done
end
return applied
