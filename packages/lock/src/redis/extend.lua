--[[
extend: gives all locks of one owner a new lease, or none.

KEYS[1..]  locks     string: who holds it
ARGV[1]    owner     names one acquisition
ARGV[2]    lease_ms  how long they hold from now, > 0
returns    1 = extended, 0 = one of them is not the owner's
O(n) in the number of locks; one slot each on a Cluster.
A lock that has ended is not taken again, even when it is free: somebody else may have held it in between.
]]
for _, key in ipairs(KEYS) do
  if redis.call('GET', key) ~= ARGV[1] then return 0 end
end
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ARGV[2]) end
return 1
