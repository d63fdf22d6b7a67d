--[[
acquire: takes all locks for one owner, or none.

KEYS[1..]  locks     string: who holds it
ARGV[1]    owner     names one acquisition
ARGV[2]    lease_ms  how long they hold, > 0
returns    0 = taken, otherwise in how many ms the last of those in the way ends by itself, > 0
O(n) in the number of locks; one slot each on a Cluster.
Two passes, since nothing may be written before it is known that all are free. An owner that asks again for what it has
gets it with a new lease, so a call that is sent twice takes once. A key without an expiry is not ours: it never ends by
itself, which is answered as a lease that begins now.
]]
-- One alone needs no look first: there is nothing that would have to stay unwritten.
if #KEYS == 1 and redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 0 end
local in_the_way = 0
for _, key in ipairs(KEYS) do
  local owner = redis.call('GET', key)
  if owner and owner ~= ARGV[1] then
    local left_ms = redis.call('PTTL', key)
    if left_ms < 0 then left_ms = tonumber(ARGV[2]) end
    in_the_way = math.max(in_the_way, left_ms, 1)
  end
end
if in_the_way > 0 then return in_the_way end
for _, key in ipairs(KEYS) do redis.call('SET', key, ARGV[1], 'PX', ARGV[2]) end
return 0
