--[[
reclaim: removes a record that nobody can read any more, if it is still the one that was seen.

KEYS[1]  record  string; characters 5 to 16 are the id of the load that stored it
ARGV[1]  id      of the record that was seen
returns  1 removed | 0 it is another one by now, or gone
O(1), one slot.
Between the look and the removal a load may have stored a new record under the key: that one stays. Nothing is
announced, as nothing that anybody could read has ended. A lease stays too: it belongs to a load that is underway.
]]
local id = redis.pcall('GETRANGE', KEYS[1], 4, 15)
if id ~= ARGV[1] then return 0 end
return redis.call('UNLINK', KEYS[1])
