--[[
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
