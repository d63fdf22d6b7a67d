--@part plan: what an argument means, worked out once for all entries of a batch that say the same

local server_now
local function time_of(text)
  if text ~= '-1' then return tonumber(text) end
  if not server_now then
    local time = call('TIME')
    server_now = time[1] * 1000 + floor(time[2] / 1000)
  end
  return server_now
end

-- What the short way wants to know. Nothing for a limit that always goes the long way.
local function hit_of(ask)
  if ask.kind == 'w' or ask.kind == 'f' then
    plan_window(ask)
    return hit_window
  end
  if ask.kind == 'b' then
    plan_bucket(ask)
    return hit_bucket
  end
  return nil
end

local plans = {}
local function plan_of(text)
  local now_text, spends, rest = match(text, '^(-?%d+)|(%d)|(.+)$')
  local now = time_of(now_text)
  local plan = { now = now, spends = spends == '1', asks = {}, short = format('2:%.0f:', now) }
  local is_plain = plan.spends
  for field, limit, per, extra, cost, denied in string.gmatch(rest, '([^|,]+),(%d+),(%d+),([^,]*),(%d+)(%+?)') do
    local ask = { field = field, kind = sub(field, 1, 1), extra = extra, now = now }
    ask.limit, ask.per, ask.cost, ask.counts_denied = tonumber(limit), tonumber(per), tonumber(cost), denied == '+'
    ask.size, ask.hit = ask.limit * ask.per, hit_of(ask)
    is_plain = is_plain and ask.hit ~= nil
    plan.asks[#plan.asks + 1] = ask
  end
  if is_plain and not plan.asks[3] then plan.hit = plan.asks[2] and hit_two or hit_one end
  plans[text] = plan
  return plan
end
