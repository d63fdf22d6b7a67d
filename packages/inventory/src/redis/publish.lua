--[[
publish: sets a hint to what the database said, unless a newer version is there.

KEYS[1]  stock      string: units that are probably left
KEYS[2]  version    string: the version they are of
ARGV[1]  available  units, >= 0
ARGV[2]  version    of the database's row, > 0
ARGV[3]  ttl_ms     how long it is worth anything, > 0
returns  { 0|1 whether it was set, what the hint was before, or false }
O(1), one slot.
The same version sets it again: that is how a hint heals which somebody has overwritten. A version that is no number is
none, and so is what has another type: SET replaces either.
]]
local function text_at(key)
  local found = redis.pcall('GET', key)
  return type(found) == 'string' and found
end
local before = text_at(KEYS[1])
local known = tonumber(text_at(KEYS[2]))
if known and known > tonumber(ARGV[2]) then return { 0, before } end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
return { 1, before }
