// Generated from Lua by `node tools/lua/generate.ts`. Do not edit.
import type { Script } from "@sluice/redis";

/** Changes the lines of a cart, everything that is asked or nothing. */
export const changeScript: Script = {
  name: "change",
  sha1: "892982ed2eb3f6c97da31547edd5fbfa565a2f9b",
  keys: 1,
  source: `--[[
change: changes the lines of a cart, everything that is asked or nothing.

KEYS[1]    cart    hash: a product's id -> how many of it
ARGV[1]    ttl_ms  how long the cart is kept from now, > 0
ARGV[2]    most    lines that a cart has at most
ARGV[3]    anew    1 = what it holds goes first, 0 = that stays
ARGV[4..]  lines   a product's id and how many there shall be, 0 = none; no product twice
returns    the lines as they then are, as HGETALL answers; 0 = they would be too many, and nothing has changed
O(n) in the number of lines, one slot.
A quantity is what there shall be, not what is added, so a call that is sent twice leaves the same cart. A cart that has
too many lines, since the bound was another when they came in, may still shrink.
]]
local before = redis.call('HLEN', KEYS[1])
local anew = tonumber(ARGV[3]) == 1
local after = anew and 0 or before
for place = 4, #ARGV, 2 do
  local is_there = not anew and redis.call('HEXISTS', KEYS[1], ARGV[place]) == 1
  local stays = tonumber(ARGV[place + 1]) > 0
  if stays and not is_there then after = after + 1 end
  if is_there and not stays then after = after - 1 end
end
if after > math.max(tonumber(ARGV[2]), before) then return 0 end
if anew then redis.call('DEL', KEYS[1]) end
for place = 4, #ARGV, 2 do
  if tonumber(ARGV[place + 1]) > 0 then
    redis.call('HSET', KEYS[1], ARGV[place], ARGV[place + 1])
  else
    redis.call('HDEL', KEYS[1], ARGV[place])
  end
end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return redis.call('HGETALL', KEYS[1])
`,
};
