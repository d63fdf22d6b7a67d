--[[
acquire: takes the lease of a record for a load.

KEYS[1]  record    string; characters 5 to 16 are the id of the load that stored it
KEYS[2]  lease     string: holder, microseconds of the grant, token; or "-" after a drop
ARGV[1]  holder    id of the load, 12 characters
ARGV[2]  token     newest token that the load stands on
ARGV[3]  lease_ms  how long the lease lasts
ARGV[4]  seen      id of the record that the load's caller has seen, '' = none
returns  { state 0 changed | 1 granted | 2 held, ms that a drop calls for short lifetimes | ms left, microseconds
         of this server's clock, the lease as it is now }
O(1), one slot.
A lease with an older token is taken over: what its load stores would be taken by no reader. A load that asks again
keeps the lease that it has. The time of the grant makes each lease another one: a request that is executed late makes
none that an old put would fit.
]]
local time = redis.call('TIME')
local now = string.format('%010d%06d', time[1], time[2])
local id = redis.pcall('GETRANGE', KEYS[1], 4, 15)
-- A key of another type holds no record; storing replaces it.
if type(id) == 'table' then id = '' end
if id ~= ARGV[4] then return { 0, 0, now } end

local lease = redis.pcall('GET', KEYS[2])
if type(lease) == 'table' then lease = false end
local settle_ms = 0
if lease == '-' then
  settle_ms = redis.call('PTTL', KEYS[2])
elseif lease then
  if string.sub(lease, 1, 12) == ARGV[1] then return { 1, 0, now, lease } end
  if ARGV[2] <= string.sub(lease, 29) then return { 2, redis.call('PTTL', KEYS[2]), now, lease } end
end
lease = ARGV[1] .. now .. ARGV[2]
redis.call('SET', KEYS[2], lease, 'PX', ARGV[3])
return { 1, settle_ms, now, lease }
