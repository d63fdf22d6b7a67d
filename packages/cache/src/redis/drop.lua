--[[
drop: removes a record and any lease, and announces it.

KEYS[1]  record     string
KEYS[2]  lease      string
ARGV[1]  settle_ms  for how long loads may read from a replica that lags behind, 0 = they do not
ARGV[2]  channel    where it is announced
returns  microseconds of this server's clock
O(1), one slot.
Without its lease, a load that began before cannot store. A mark that stays would do the same only until it is evicted.
]]
redis.call('UNLINK', KEYS[1])
if tonumber(ARGV[1]) > 0 then
  redis.call('SET', KEYS[2], '-', 'PX', ARGV[1])
else
  redis.call('DEL', KEYS[2])
end
redis.call('PUBLISH', ARGV[2], KEYS[1])
local time = redis.call('TIME')
return string.format('%010d%06d', time[1], time[2])
