--[[
batch: runs one body for many entries, each as if it had come alone.

KEYS[1..]  keys     of all entries in turn, equally many each; with keep_ms, one more: where the answers are kept
ARGV[1]    count    entries in this batch, > 0
ARGV[2]    keep_ms  how long a repeat of this batch gets the same answers, 0 = it is not kept
ARGV[3..]  args     of all entries in turn, equally many each
returns    { answers, failures }: an answer per entry, false where it failed; failures = { number, message, ... }
O(n) calls of the body; one slot with keep_ms or on a Cluster.
One call after the other, so that an entry sees what earlier entries of its batch have written: limits would
over-admit otherwise. pcall keeps a failing entry to itself. Answers and failures travel apart because clients differ
in how they show an error within an array. A replica refuses every write, so there the whole batch is refused.
A client that resends after a reconnect sends the same nonce, and the second run only reads the answers back.
]]
local function entry(KEYS, ARGV)
--@body
end

local function slice(list, first, last)
  -- Faster than a loop by a tenth of all that a batch costs, but Lua's stack ends at 8000.
  if last - first < 1000 then return { unpack(list, first, last) } end
  local part = {}
  for index = first, last do part[#part + 1] = list[index] end
  return part
end

local count = tonumber(ARGV[1])
local keep_ms = tonumber(ARGV[2])
local kept_at
local key_count = #KEYS
if keep_ms > 0 then
  kept_at = KEYS[key_count]
  key_count = key_count - 1
  local kept = redis.call('GET', kept_at)
  if kept then return cmsgpack.unpack(kept) end
end

local keys_each = key_count / count
local args_each = (#ARGV - 2) / count
local answers, failures = {}, {}
for number = 1, count do
  local key_base = (number - 1) * keys_each
  local arg_base = 2 + (number - 1) * args_each
  local keys = keys_each == 1 and { KEYS[number] } or slice(KEYS, key_base + 1, key_base + keys_each)
  local args = args_each == 1 and { ARGV[number + 2] } or slice(ARGV, arg_base + 1, arg_base + args_each)
  local ok, answer = pcall(entry, keys, args)
  local failure
  if not ok then
    failure = type(answer) == 'table' and answer.err or tostring(answer)
    -- What a command raises begins with its code; what Lua raises has none.
    if not string.find(failure, '^%u+ ') then failure = 'ERR ' .. failure end
  elseif type(answer) == 'table' and answer.err then
    failure = answer.err
  end
  if failure then
    if string.sub(failure, 1, 8) == 'READONLY' then return redis.error_reply(failure) end
    answers[number] = false
    failures[#failures + 1] = number
    failures[#failures + 1] = failure
  else
    -- nil would end the array for the client; false is what a lone entry answers for it.
    answers[number] = answer ~= nil and answer or false
  end
end

local reply = { answers, failures }
if keep_ms > 0 then redis.call('SET', kept_at, cmsgpack.pack(reply), 'PX', keep_ms) end
return reply
