--[[
admit: takes units off a hint, if it has as many.

KEYS[1]  stock     string: units that are probably left
ARGV[1]  quantity  units wanted, > 0
returns  units that are left, -1 = sold out, -2 = there is no hint
O(1), one slot.
A key that is missing or no whole number is no hint, and never becomes one here: only a publication says what there is.
Sent twice it takes twice, which makes the hint too low until the next publication; the database counts each buyer once.
]]
local found = redis.pcall('GET', KEYS[1])
-- Of another type it is a table that holds an error.
local left = type(found) == 'string' and string.match(found, '^%d+$') and tonumber(found)
if not left then return -2 end
if left < tonumber(ARGV[1]) then return -1 end
return redis.call('DECRBY', KEYS[1], ARGV[1])
