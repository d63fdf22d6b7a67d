--[[
release: ends a lease, if it is still this load's.

KEYS[1]  lease   string: holder, and more
ARGV[1]  holder  id of the load, 12 characters
returns  1 ended | 0 it was not this load's
O(1), one slot.
Without it, others would wait for a load that has failed until its lease runs out.
]]
local lease = redis.call('GET', KEYS[1])
if not lease or string.sub(lease, 1, 12) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
