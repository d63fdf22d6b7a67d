// Generated from Lua by `node tools/lua/generate.ts`. Do not edit.
import type { Script } from "@sluice/redis";

/** Takes the lease of a record for a load. */
export const acquireScript: Script = {
  name: "acquire",
  sha1: "8d848e273a1294cbcddceec83e7d4e0277c37cb8",
  keys: 2,
  source: `--[[
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
`,
};

/** Replaces the values of generations, and announces each. */
export const bumpScript: Script = {
  name: "bump",
  sha1: "240d0ba32986dc2d3bf37ac56bd690b93764436d",
  source: `--[[
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
`,
};

/** Removes a record and any lease, and announces it. */
export const dropScript: Script = {
  name: "drop",
  sha1: "1be8ebca6f26a941ad743ee17529dc0212b7fc56",
  keys: 2,
  source: `--[[
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
`,
};

/** The values of generations, each made first where it is absent. */
export const mintScript: Script = {
  name: "mint",
  sha1: "993b1b5cf5094840b54c631ce21b52db32b3e6a1",
  source: `--[[
mint: the values of generations, each made first where it is absent.

KEYS[1..]  generations  strings, as bump writes them
ARGV[1]    nonce        8 characters of chance, never sent before
ARGV[2]    keep_ms      how long generations are kept from now on
returns    { values }, in the order of the keys
O(n), one slot.
A generation that was lost gets a value that no record has: whatever it was before, what stood on it is over. The time
of this execution is part of the value, so a resend after another mint cannot bring an old value back.
]]
local time = redis.call('TIME')
local token = string.format('%010d%06d', time[1], time[2]) .. ARGV[1]
local values = {}
for index, key in ipairs(KEYS) do
  local value = redis.pcall('GET', key)
  -- A key of another type reads as absent; setting replaces it.
  if type(value) == 'string' then
    redis.call('PEXPIRE', key, ARGV[2])
  else
    value = token
    redis.call('SET', key, value, 'PX', ARGV[2])
  end
  values[index] = value
end
return values
`,
};

/** Stores a record, if its load still has the lease. */
export const putScript: Script = {
  name: "put",
  sha1: "cfe2754fbd8763cbb91811f58ed53c1018c321d5",
  keys: 2,
  source: `--[[
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
`,
};

/** Removes a record that nobody can read any more, if it is still the one that was seen. */
export const reclaimScript: Script = {
  name: "reclaim",
  sha1: "77964bc9cda3cb686c701d55601f1fe1fb363aeb",
  keys: 1,
  source: `--[[
reclaim: removes a record that nobody can read any more, if it is still the one that was seen.

KEYS[1]  record  string; characters 5 to 16 are the id of the load that stored it
ARGV[1]  id      of the record that was seen
returns  1 removed | 0 it is another one by now, or gone
O(1), one slot.
Between the look and the removal a load may have stored a new record under the key: that one stays. Nothing is
announced, as nothing that anybody could read has ended. A lease stays too: it belongs to a load that is underway.
]]
local id = redis.pcall('GETRANGE', KEYS[1], 4, 15)
if id ~= ARGV[1] then return 0 end
return redis.call('UNLINK', KEYS[1])
`,
};

/** Ends a lease, if it is still this load's. */
export const releaseScript: Script = {
  name: "release",
  sha1: "697a51b1f54ab137635ae1aa020c34460285afa8",
  keys: 1,
  source: `--[[
release: ends a lease, if it is still this load's.

KEYS[1]  lease   string: holder, and more
ARGV[1]  holder  id of the load, 12 characters
returns  1 ended | 0 it was not this load's
O(1), one slot.
Without it, others would wait for a load that has failed until its lease runs out.
]]
local lease = redis.call('GET', KEYS[1])
if not lease or string.sub(lease, 1, 12) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
`,
};

/** Lets a lease last longer, if it is still this load's. */
export const renewScript: Script = {
  name: "renew",
  sha1: "7979243a6d39d00f896294f77861cf4a6a1aba52",
  keys: 1,
  source: `--[[
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
`,
};
