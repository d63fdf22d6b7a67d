--[[
release: frees the locks of one owner, and wakes those who wait for them.

KEYS[1..]  locks  string: who holds it
ARGV[1]    owner  names one acquisition
returns    how many were freed
O(n) in the number of locks; one slot each on a Cluster.
Whatever is not the owner's stays: a holder that was overtaken must not free its successor's lock. The channel has the
name of the key, so a waiter hears of no lock but its own.
]]
local freed = 0
for _, key in ipairs(KEYS) do
  if redis.call('GET', key) == ARGV[1] then
    redis.call('DEL', key)
    redis.call('PUBLISH', key, 'free')
    freed = freed + 1
  end
end
return freed
