--@part usual: the short way, for a subject without marks at one or two windows or buckets with something left

-- What all calls of this moment share at a limit whose window has one piece.
local function plan_window(ask)
  local now, per = ask.now, ask.per
  ask.piece = floor(now / per)
  ask.now_pattern, ask.now_format = format('^%.0f:(%%d+):(%%d+)$', ask.piece), format('%.0f:%%d:%%s', ask.piece)
  ask.piece_head = format('%.0f:', ask.piece)
  ask.before_text = format('%.0f', ask.piece - 1)
  ask.rest = ask.kind == 'w' and per - (now - ask.piece * per) or 0
end

-- What a window has spent, as a multiple of 1 / per, and its new state. Nothing when it is out of the ordinary.
local function hit_window(ask, state)
  local newer, older, life = 0, '0', 2 * ask.per
  if state then
    local first, second = match(state, ask.now_pattern)
    if first then
      -- The expiry is for two windows and more: enough until the next one begins.
      newer, older, life = first, second, 0
    else
      local at, last = match(state, '^(%d+):(%d+):%d+$')
      if at == ask.before_text then
        older = last
      elseif not at or tonumber(at) > ask.piece then
        return nil
      end
    end
  end
  newer = newer + ask.cost
  local spent = newer * ask.per
  if older ~= '0' then spent = spent + older * ask.rest end
  if newer < small then return spent, format(ask.now_format, newer, older), life end
  return spent, ask.piece_head .. format('%.0f', newer) .. ':' .. older, life
end

local function plan_bucket(ask)
  ask.now_head, ask.tail = format('%.0f:', ask.now), ':' .. ask.extra
end

-- What a bucket owes after this call, its new state and for how long that matters. Nothing when its time is ahead.
local function hit_bucket(ask, state)
  local at, debt = ask.now, 0
  if state then at, debt = match(state, '^(%d+):(%d+)') end
  if not at or tonumber(at) > ask.now then return nil end
  local spent = max(0, debt - (ask.now - at) * ask.extra) + ask.cost * ask.per
  return spent, ask.now_head .. format(spent < small and '%d' or '%.0f', spent) .. ask.tail, ceil(spent / ask.extra)
end

-- The answer to a call at one limit. Nothing for any that is out of the ordinary, and then nothing is written.
local function hit_one(key, plan)
  local ask = plan.asks[1]
  local state = call('HGET', key, ask.field)
  if not state and call('HEXISTS', key, '!') == 1 then return nil end
  local spent, text, life = ask.hit(ask, state)
  if not spent or spent + ask.per > ask.size then return nil end
  call('HSET', key, ask.field, text)
  if life > 0 then keep_alive(key, life) end
  local left = floor((ask.size - spent) / ask.per)
  return plan.short .. format(left < small and '%d' or '%.0f', left)
end

-- The same at two limits, as logins have them. More are seldom, and go the long way.
local function hit_two(key, plan)
  local one, other = plan.asks[1], plan.asks[2]
  local states = call('HMGET', key, one.field, other.field)
  local spent, text, life = one.hit(one, states[1])
  if not spent or spent + one.per > one.size then return nil end
  local other_spent, other_text, other_life = other.hit(other, states[2])
  if not other_spent or other_spent + other.per > other.size then return nil end
  if not (states[1] and states[2]) and call('HEXISTS', key, '!') == 1 then return nil end
  call('HSET', key, one.field, text, other.field, other_text)
  life = max(life, other_life)
  if life > 0 then keep_alive(key, life) end
  local left, other_left = floor((one.size - spent) / one.per), floor((other.size - other_spent) / other.per)
  local is_small = left < small and other_left < small
  return format(is_small and '%s%d:%d' or '%s%.0f:%.0f', plan.short, left, other_left)
end
