// Generated from Lua by `node tools/lua/generate.ts`. Do not edit.
import type { Script } from "@sluice/redis";

/** Corrects what take spent, where it was booked. */
export const adjustScript: Script = {
  name: "adjust",
  sha1: "0b0d7a3ba344258451a2e05ab4e804fc7cc4f878",
  keys: 1,
  source: `--[[
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

--@part keep-alive: how long a subject is remembered

local function keep_alive(key, life)
  life = max(60000, life)
  -- Set further ahead than needed, so that not every write has to.
  if call('PTTL', key) < life then call('PEXPIRE', key, format('%.0f', ceil(life * 1.5))) end
end

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
`,
};

/** Writes a block or an override of a subject. */
export const markScript: Script = {
  name: "mark",
  sha1: "0f97a202c91eb566fd2a8450025c87a205e9f315",
  keys: 1,
  source: `--[[
mark: writes a block or an override of a subject.

KEYS[1]  subject  hash; its field "!" becomes "1|blocked until ms|name,limit,refill,until ms|…", 1 = version
ARGV[1]  now_ms   test clock, or -1 for this server's TIME
ARGV[2]  for_ms   from now on, 0 = lift it
ARGV[3]  name     of the limits that an override replaces, empty for a block
ARGV[4]  limit    of the override
ARGV[5]  refill   of the override, 0 = as it is
returns  ms until the last of the subject's marks ends
O(marks of the subject), one slot.
All marks are one field. Those that have ended are left out. The key outlives its marks. What take keeps of windows and
buckets gets a "!" in front, which tells take to look at the marks: a subject without any costs a decision nothing.
]]
local now = tonumber(ARGV[1])
if now < 0 then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local for_ms, name = tonumber(ARGV[2]), ARGV[3]
local marks = redis.call('HGET', KEYS[1], '!') or ''

local blocked_until = tonumber(string.match(marks, '^1|(%d+)') or '0')
if name == '' then blocked_until = now + for_ms end
if blocked_until <= now then blocked_until = 0 end
local kept, last = { string.format('1|%.0f', blocked_until) }, blocked_until
for other, limit, refill, ends in string.gmatch(marks, '([^|,]+),(%d+),(%d+),(%d+)') do
  if other ~= name and tonumber(ends) > now then
    kept[#kept + 1] = other .. ',' .. limit .. ',' .. refill .. ',' .. ends
    last = math.max(last, tonumber(ends))
  end
end
if name ~= '' and for_ms > 0 then
  kept[#kept + 1] = string.format('%s,%.0f,%.0f,%.0f', name, tonumber(ARGV[4]), tonumber(ARGV[5]), now + for_ms)
  last = math.max(last, now + for_ms)
end

if last == 0 then
  redis.call('HDEL', KEYS[1], '!')
  return 0
end
redis.call('HSET', KEYS[1], '!', table.concat(kept, '|'))
local states = redis.call('HGETALL', KEYS[1])
for place = 1, #states, 2 do
  local field, state = states[place], states[place + 1]
  if string.match(field, '^[wfb]1:') and string.match(state, '^%d') then
    redis.call('HSET', KEYS[1], field, '!' .. state)
  end
end
local life = math.max(60000, last - now)
if redis.call('PTTL', KEYS[1]) < life then redis.call('PEXPIRE', KEYS[1], string.format('%.0f', life)) end
return last - now
`,
};

/** Forgets what a subject has spent. */
export const resetScript: Script = {
  name: "reset",
  sha1: "9e5a9c8a4d148cf181764036e091b4838728613e",
  keys: 1,
  source: `--[[
reset: forgets what a subject has spent.

KEYS[1]   subject  hash: a field per limit, and "!" for a block and overrides
ARGV[1]   all      1 = every limit, and lift a block; 0 = the fields that follow
ARGV[2..] fields   of the limits
returns   how many limits were forgotten
O(fields of the subject), one slot.
Overrides stay: whoever may spend more did not earn that by spending. The expiry of the key stays with them.
]]
if ARGV[1] == '0' then
  local fields = {}
  for place = 2, #ARGV do fields[#fields + 1] = ARGV[place] end
  return redis.call('HDEL', KEYS[1], unpack(fields))
end
local fields = {}
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  if field ~= '!' then fields[#fields + 1] = field end
end
local marks = redis.call('HGET', KEYS[1], '!')
if marks then redis.call('HSET', KEYS[1], '!', (string.gsub(marks, '^1|%d+', '1|0'))) end
return #fields > 0 and redis.call('HDEL', KEYS[1], unpack(fields)) or 0
`,
};

/** Decides about several limits at once, all are spent or none is. */
export const takeScript: Script = {
  name: "take",
  sha1: "e209db732eb664088eedad858cc67e098169d435",
  source: `--[[
take: decides about several limits at once, all are spent or none is.

KEYS[1..]  subjects  one for all asks, or one for each; a hash: a field per limit, and "!" for a block and overrides
ARGV[1]    wanted    "now_ms|spend|ask|…": a test clock or -1 for this server's TIME; 1 = spend if every limit allows
                     it, 0 = only look; and an ask for each limit, "field,limit,ms,extra,cost": ms of the window, refill
                     period or lease, extra is parts of a window, refill of a bucket or token of a slot; a + after the
                     cost of a window or bucket counts it though the call is denied, up to twice the limit
returns    { 1 = version, now_ms, allowed 0|1, ms left of a block, then per ask: limit, remaining, wait_ms or -1 for
           never, ms until one more unit, stamp }; or in short "2:now_ms:remaining:…", 2 = version, where all is
           allowed, something remains everywhere, and limits and time are as usual
O(limits); a log or slots add O(log limit) to decide and O(limit) bytes to write; one slot on a Cluster.
What stands before the mark "@entry" is shared by the entries of a batch: the time, and what their arguments mean, which
is mostly the same. Most calls are for one subject without marks, at one or two windows or buckets with something left.
They go the short way; whatever is out of the ordinary goes the long way, which begins anew and says everything.
A field begins with its kind and version, as in "w1:". Those of w, f and b have a "!" before what they hold while the
subject has marks, so that who reads one needs no look at the marks.
Everything is a whole number below 2^53, so every comparison is exact. %.0f keeps all digits; tostring() does not.
A denial writes nothing. But when the clock has stepped back by more than a window (a failover), what lies ahead is
moved to where it delays nobody for longer than that, and the move is kept even by a denial, or it would never end.
PEXPIRE only collects garbage: it lets a key live on for a minute or twice its longest window after a write.
]]
local floor, ceil, max, min = math.floor, math.ceil, math.max, math.min
local format, match, sub, rep = string.format, string.match, string.sub, string.rep
local call, concat = redis.call, table.concat

-- Up to here %d is exact everywhere, and faster.
local small = 2147483648

--@part keep-alive: how long a subject is remembered

local function keep_alive(key, life)
  life = max(60000, life)
  -- Set further ahead than needed, so that not every write has to.
  if call('PTTL', key) < life then call('PEXPIRE', key, format('%.0f', ceil(life * 1.5))) end
end
--@part usual: the short way, for a subject without marks at one or two windows or buckets with something left

-- What all calls of this moment share at a limit whose window has one piece.
local function plan_window(ask)
  local now, per = ask.now, ask.per
  ask.piece = floor(now / per)
  ask.now_pattern, ask.now_format = format('^%.0f:(%%d+):(%%d+)$', ask.piece), format('%.0f:%%d:%%s', ask.piece)
  ask.piece_head = format('%.0f:', ask.piece)
  ask.before_text = format('%.0f', ask.piece - 1)
  ask.rest = ask.kind == 'w' and per - (now - ask.piece * per) or 0
end

-- What a window has spent, as a multiple of 1 / per, and its new state. Nothing when it is out of the ordinary.
local function hit_window(ask, state)
  local newer, older, life = 0, '0', 2 * ask.per
  if state then
    local first, second = match(state, ask.now_pattern)
    if first then
      -- The expiry is for two windows and more: enough until the next one begins.
      newer, older, life = first, second, 0
    else
      local at, last = match(state, '^(%d+):(%d+):%d+$')
      if at == ask.before_text then
        older = last
      elseif not at or tonumber(at) > ask.piece then
        return nil
      end
    end
  end
  newer = newer + ask.cost
  local spent = newer * ask.per
  if older ~= '0' then spent = spent + older * ask.rest end
  if newer < small then return spent, format(ask.now_format, newer, older), life end
  return spent, ask.piece_head .. format('%.0f', newer) .. ':' .. older, life
end

local function plan_bucket(ask)
  ask.now_head, ask.tail = format('%.0f:', ask.now), ':' .. ask.extra
end

-- What a bucket owes after this call, its new state and for how long that matters. Nothing when its time is ahead.
local function hit_bucket(ask, state)
  local at, debt = ask.now, 0
  if state then at, debt = match(state, '^(%d+):(%d+)') end
  if not at or tonumber(at) > ask.now then return nil end
  local spent = max(0, debt - (ask.now - at) * ask.extra) + ask.cost * ask.per
  return spent, ask.now_head .. format(spent < small and '%d' or '%.0f', spent) .. ask.tail, ceil(spent / ask.extra)
end

-- The answer to a call at one limit. Nothing for any that is out of the ordinary, and then nothing is written.
local function hit_one(key, plan)
  local ask = plan.asks[1]
  local state = call('HGET', key, ask.field)
  if not state and call('HEXISTS', key, '!') == 1 then return nil end
  local spent, text, life = ask.hit(ask, state)
  if not spent or spent + ask.per > ask.size then return nil end
  call('HSET', key, ask.field, text)
  if life > 0 then keep_alive(key, life) end
  local left = floor((ask.size - spent) / ask.per)
  return plan.short .. format(left < small and '%d' or '%.0f', left)
end

-- The same at two limits, as logins have them. More are seldom, and go the long way.
local function hit_two(key, plan)
  local one, other = plan.asks[1], plan.asks[2]
  local states = call('HMGET', key, one.field, other.field)
  local spent, text, life = one.hit(one, states[1])
  if not spent or spent + one.per > one.size then return nil end
  local other_spent, other_text, other_life = other.hit(other, states[2])
  if not other_spent or other_spent + other.per > other.size then return nil end
  if not (states[1] and states[2]) and call('HEXISTS', key, '!') == 1 then return nil end
  call('HSET', key, one.field, text, other.field, other_text)
  life = max(life, other_life)
  if life > 0 then keep_alive(key, life) end
  local left, other_left = floor((one.size - spent) / one.per), floor((other.size - other_spent) / other.per)
  local is_small = left < small and other_left < small
  return format(is_small and '%s%d:%d' or '%s%.0f:%.0f', plan.short, left, other_left)
end
--@part plan: what an argument means, worked out once for all entries of a batch that say the same

local server_now
local function time_of(text)
  if text ~= '-1' then return tonumber(text) end
  if not server_now then
    local time = call('TIME')
    server_now = time[1] * 1000 + floor(time[2] / 1000)
  end
  return server_now
end

-- What the short way wants to know. Nothing for a limit that always goes the long way.
local function hit_of(ask)
  if ask.kind == 'w' or ask.kind == 'f' then
    plan_window(ask)
    return hit_window
  end
  if ask.kind == 'b' then
    plan_bucket(ask)
    return hit_bucket
  end
  return nil
end

local plans = {}
local function plan_of(text)
  local now_text, spends, rest = match(text, '^(-?%d+)|(%d)|(.+)$')
  local now = time_of(now_text)
  local plan = { now = now, spends = spends == '1', asks = {}, short = format('2:%.0f:', now) }
  local is_plain = plan.spends
  for field, limit, per, extra, cost, denied in string.gmatch(rest, '([^|,]+),(%d+),(%d+),([^,]*),(%d+)(%+?)') do
    local ask = { field = field, kind = sub(field, 1, 1), extra = extra, now = now }
    ask.limit, ask.per, ask.cost, ask.counts_denied = tonumber(limit), tonumber(per), tonumber(cost), denied == '+'
    ask.size, ask.hit = ask.limit * ask.per, hit_of(ask)
    is_plain = is_plain and ask.hit ~= nil
    plan.asks[#plan.asks + 1] = ask
  end
  if is_plain and not plan.asks[3] then plan.hit = plan.asks[2] and hit_two or hit_one end
  plans[text] = plan
  return plan
end

-- Made by the first call that goes the long way: most scripts end without.
local decide
local function long_way()
--@part decide: the long way: any kinds of limits and several subjects, with their blocks and overrides

--@part kinds: the same questions to every kind of limit

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

-- A row for each ask, and each subject once.
local function rows_of(plan, keys)
  local rows, subjects, known = {}, {}, {}
  for index, ask in ipairs(plan.asks) do
    local key = keys[2] and keys[index] or keys[1]
    local subject = known[key]
    if not subject then
      subject = { key = key, fields = { '!' }, life = 0, writes = {} }
      known[key], subjects[#subjects + 1] = subject, subject
    end
    subject.fields[#subject.fields + 1] = ask.field
    -- At once, as a table that grows costs more than all else here.
    rows[index] = {
      subject = subject, place = #subject.fields, now = plan.now, field = ask.field, kind = ask.kind,
      limit = ask.limit, per = ask.per, extra = ask.extra, cost = ask.cost, wait = 0,
      counts_denied = ask.counts_denied, has_short_way = ask.hit ~= nil,
    }
  end
  return rows, subjects
end

-- Reads the fields of a subject, and answers for how long it is blocked.
local function read_subject(subject, now)
  subject.states = call('HMGET', subject.key, unpack(subject.fields))
  local marks = subject.states[1]
  if not marks then return 0 end
  local blocked = tonumber(match(marks, '^1|(%d+)') or '0') - now
  subject.life, subject.overrides = blocked, {}
  for name, limit, refill, ends in string.gmatch(marks, '([^|,]+),(%d+),(%d+),(%d+)') do
    subject.life = max(subject.life, ends - now)
    if tonumber(ends) > now then subject.overrides[name] = { limit = tonumber(limit), refill = tonumber(refill) } end
  end
  return blocked
end

local function read_row(row)
  local overrides = row.subject.overrides
  local override = overrides and overrides[match(row.field, '^..:(.+)@')]
  if override then
    row.limit = override.limit
    if override.refill > 0 then row.refill = override.refill end
  end
  read(row, row.subject.states[row.place])
  row.wait = wait_of(row, row.cost)
end

-- Notes what is to be written of a row.
local function keep(row)
  local subject, text, life = row.subject, state_of(row)
  if row.has_short_way and subject.overrides then text = '!' .. text end
  local writes = subject.writes
  writes[#writes + 1], writes[#writes + 2] = row.field, text
  subject.life = max(subject.life, life)
end

local function decide(plan, keys)
  local rows, subjects = rows_of(plan, keys)
  local blocked = 0
  for _, subject in ipairs(subjects) do blocked = max(blocked, read_subject(subject, plan.now)) end
  local allowed, counts_denied = blocked == 0, plan.spends and blocked == 0
  for _, row in ipairs(rows) do
    read_row(row)
    allowed, counts_denied = allowed and row.wait == 0, counts_denied and row.wait >= 0
  end

  local spends, keeps = allowed and plan.spends, plan.spends
  local reply = { 1, plan.now, allowed and 1 or 0, blocked }
  for _, row in ipairs(rows) do
    local counts = spends or counts_denied and row.counts_denied
    local stamp = counts and spend(row) or 0
    if counts and not allowed then row.wait = wait_of(row, row.cost) end
    local remaining = remaining_of(row)
    local base = #reply
    reply[base + 1], reply[base + 2], reply[base + 3] = row.limit, remaining, row.wait
    reply[base + 4], reply[base + 5] = remaining > 0 and 0 or wait_of(row, 1), stamp
    if counts or (keeps and row.moved) then keep(row) end
  end
  for _, subject in ipairs(subjects) do
    if #subject.writes > 0 then
      call('HSET', subject.key, unpack(subject.writes))
      keep_alive(subject.key, subject.life)
    end
  end
  return reply
end
  return decide
end

--@entry
local plan = plans[ARGV[1]] or plan_of(ARGV[1])
if plan.hit and not KEYS[2] then
  local usual = plan.hit(KEYS[1], plan)
  if usual then return usual end
end
decide = decide or long_way()
return decide(plan, KEYS)
`,
};
