--[[
take: decides about several limits at once, all are spent or none is.

KEYS[1..]  subjects  one for all asks, or one for each; a hash: a field per limit, and "!" for a block and overrides
ARGV[1]    wanted    "now_ms|spend|ask|…": a test clock or -1 for this server's TIME; 1 = spend if every limit allows
                     it, 0 = only look; and an ask for each limit, "field,limit,ms,extra,cost": ms of the window, refill
                     period or lease, extra is parts of a window, refill of a bucket or token of a slot; a + after the
                     cost of a window or bucket counts it though the call is denied, up to twice the limit
returns    { 1 = version, now_ms, allowed 0|1, ms left of a block, then per ask: limit, remaining, wait_ms or -1 for
           never, ms until one more unit, stamp }; or in short "2:now_ms:remaining:…", 2 = version, where all is
           allowed, something remains everywhere, and limits and time are as usual
O(limits); a log or slots add O(log limit) to decide and O(limit) bytes to write; one slot on a Cluster.
What stands before the mark "@entry" is shared by the entries of a batch: the time, and what their arguments mean, which
is mostly the same. Most calls are for one subject without marks, at one or two windows or buckets with something left.
They go the short way; whatever is out of the ordinary goes the long way, which begins anew and says everything.
A field begins with its kind and version, as in "w1:". Those of w, f and b have a "!" before what they hold while the
subject has marks, so that who reads one needs no look at the marks.
Everything is a whole number below 2^53, so every comparison is exact. %.0f keeps all digits; tostring() does not.
A denial writes nothing. But when the clock has stepped back by more than a window (a failover), what lies ahead is
moved to where it delays nobody for longer than that, and the move is kept even by a denial, or it would never end.
PEXPIRE only collects garbage: it lets a key live on for a minute or twice its longest window after a write.
]]
local floor, ceil, max, min = math.floor, math.ceil, math.max, math.min
local format, match, sub, rep = string.format, string.match, string.sub, string.rep
local call, concat = redis.call, table.concat

-- Up to here %d is exact everywhere, and faster.
local small = 2147483648

--@include keep-alive.lua
--@include take/usual.lua
--@include take/plan.lua

-- Made by the first call that goes the long way: most scripts end without.
local decide
local function long_way()
--@include take/decide.lua
  return decide
end

--@entry
local plan = plans[ARGV[1]] or plan_of(ARGV[1])
if plan.hit and not KEYS[2] then
  local usual = plan.hit(KEYS[1], plan)
  if usual then return usual end
end
decide = decide or long_way()
return decide(plan, KEYS)
