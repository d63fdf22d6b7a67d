--[[
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
