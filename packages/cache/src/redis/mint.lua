--[[
mint: the values of generations, each made first where it is absent.

KEYS[1..]  generations  strings, as bump writes them
ARGV[1]    nonce        8 characters of chance, never sent before
ARGV[2]    keep_ms      how long generations are kept from now on
returns    { values }, in the order of the keys
O(n), one slot.
A generation that was lost gets a value that no record has: whatever it was before, what stood on it is over. The time
of this execution is part of the value, so a resend after another mint cannot bring an old value back.
]]
local time = redis.call('TIME')
local token = string.format('%010d%06d', time[1], time[2]) .. ARGV[1]
local values = {}
for index, key in ipairs(KEYS) do
  local value = redis.pcall('GET', key)
  -- A key of another type reads as absent; setting replaces it.
  if type(value) == 'string' then
    redis.call('PEXPIRE', key, ARGV[2])
  else
    value = token
    redis.call('SET', key, value, 'PX', ARGV[2])
  end
  values[index] = value
end
return values
