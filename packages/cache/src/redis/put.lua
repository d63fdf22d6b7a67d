--[[
put: stores a record, if its load still has the lease.

KEYS[1]  record   string
KEYS[2]  lease    string
ARGV[1]  lease    as acquire has granted it
ARGV[2]  record   the bytes
ARGV[3]  keep_ms  how long they are kept
returns  1 stored | 0 not
O(1), one slot.
An absent lease is no permission: a drop has removed it, or nobody can say what happened meanwhile. Run twice, the
second finds no lease and changes nothing.
]]
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
redis.call('DEL', KEYS[2])
return 1
