--[[
bump: replaces the values of generations, and announces each.

KEYS[1..]  generations   strings: token, or token/soft token/soft token before/ms that the old may be served
ARGV[1]    nonce         8 characters of chance, never sent before
ARGV[2]    keep_ms       how long generations are kept
ARGV[3]    max_stale_ms  how long records of the value before may be served while they are reloaded, -1 = not at all
ARGV[4]    channel       where it is announced
returns    the new token
O(n), one slot.
In the order of the keys: that of any tag comes before a tag's own. Whoever finds the first as it was knows that the
second still is. A server that is full takes no value and can still remove one: an absent generation gets a new value
before anything is loaded, and so ends what stood on it as well. Announced here, so that nothing is ever applied and not
announced. Run twice, it invalidates twice.
]]
local time = redis.call('TIME')
local token = string.format('%010d%06d', time[1], time[2]) .. ARGV[1]
local is_soft = tonumber(ARGV[3]) >= 0
for _, key in ipairs(KEYS) do
  local before = is_soft and redis.pcall('GET', key)
  -- A key of another type holds no generation; setting replaces it.
  if type(before) == 'table' then before = false end
  local value = token
  if before then
    local hard, soft = string.sub(before, 1, 24), string.match(before, '^[^/]+/([^/]*)/') or ''
    value = hard .. '/' .. token .. '/' .. soft .. '/' .. ARGV[3]
  end
  local set = redis.pcall('SET', key, value, 'PX', ARGV[2])
  if set.err then redis.call('UNLINK', key) end
  redis.call('PUBLISH', ARGV[4], key)
end
return token
