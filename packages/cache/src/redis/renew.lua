--[[
renew: lets a lease last longer, if it is still this load's.

KEYS[1]  lease     string
ARGV[1]  lease     as acquire has granted it
ARGV[2]  lease_ms  how long it lasts from now on
returns  1 renewed | 0 it is not this load's any more
O(1), one slot.
Leases are short, so that the load of a process that dies holds up nobody; loads may be long. One that was taken away
stays away: it is not granted anew.
]]
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
