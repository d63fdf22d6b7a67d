// Generated from Lua by `node tools/lua/generate.ts`. Do not edit.
import type { Script } from "@sluice/redis";

/** Takes all locks for one owner, or none. */
export const acquireScript: Script = {
  name: "acquire",
  sha1: "0a50ec0cf747143866dfb150d464cc2f36a3cb7b",
  source: `--[[
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
`,
};

/** Gives all locks of one owner a new lease, or none. */
export const extendScript: Script = {
  name: "extend",
  sha1: "bf0cd1a606fdc0817f622eb44dce3418e9bb94f6",
  source: `--[[
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
`,
};

/** Frees the locks of one owner, and wakes those who wait for them. */
export const releaseScript: Script = {
  name: "release",
  sha1: "906f7f5c310ae76dfb6ad26cb86db74986376209",
  source: `--[[
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
`,
};
