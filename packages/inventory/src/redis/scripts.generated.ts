// Generated from Lua by `node tools/lua/generate.ts`. Do not edit.
import type { Script } from "@sluice/redis";

/** Takes units off a hint, if it has as many. */
export const admitScript: Script = {
  name: "admit",
  sha1: "73ea924732ce9da33968696d62d41228c20e9a6e",
  keys: 1,
  source: `--[[
admit: takes units off a hint, if it has as many.

KEYS[1]  stock     string: units that are probably left
ARGV[1]  quantity  units wanted, > 0
returns  units that are left, -1 = sold out, -2 = there is no hint
O(1), one slot.
A key that is missing or no whole number is no hint, and never becomes one here: only a publication says what there is.
Sent twice it takes twice, which makes the hint too low until the next publication; the database counts each buyer once.
]]
local found = redis.pcall('GET', KEYS[1])
-- Of another type it is a table that holds an error.
local left = type(found) == 'string' and string.match(found, '^%d+$') and tonumber(found)
if not left then return -2 end
if left < tonumber(ARGV[1]) then return -1 end
return redis.call('DECRBY', KEYS[1], ARGV[1])
`,
};

/** Sets a hint to what the database said, unless a newer version is there. */
export const publishScript: Script = {
  name: "publish",
  sha1: "facc13b97e4e25052e20d72a437d1ef26f4a3c4e",
  keys: 2,
  source: `--[[
publish: sets a hint to what the database said, unless a newer version is there.

KEYS[1]  stock      string: units that are probably left
KEYS[2]  version    string: the version they are of
ARGV[1]  available  units, >= 0
ARGV[2]  version    of the database's row, > 0
ARGV[3]  ttl_ms     how long it is worth anything, > 0
returns  { 0|1 whether it was set, what the hint was before, or false }
O(1), one slot.
The same version sets it again: that is how a hint heals which somebody has overwritten. A version that is no number is
none, and so is what has another type: SET replaces either.
]]
local function text_at(key)
  local found = redis.pcall('GET', key)
  return type(found) == 'string' and found
end
local before = text_at(KEYS[1])
local known = tonumber(text_at(KEYS[2]))
if known and known > tonumber(ARGV[2]) then return { 0, before } end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
return { 1, before }
`,
};
