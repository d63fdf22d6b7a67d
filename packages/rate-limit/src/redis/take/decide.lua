--@part decide: the long way: any kinds of limits and several subjects, with their blocks and overrides

--@include kinds.lua

-- A row for each ask, and each subject once.
local function rows_of(plan, keys)
  local rows, subjects, known = {}, {}, {}
  for index, ask in ipairs(plan.asks) do
    local key = keys[2] and keys[index] or keys[1]
    local subject = known[key]
    if not subject then
      subject = { key = key, fields = { '!' }, life = 0, writes = {} }
      known[key], subjects[#subjects + 1] = subject, subject
    end
    subject.fields[#subject.fields + 1] = ask.field
    -- At once, as a table that grows costs more than all else here.
    rows[index] = {
      subject = subject, place = #subject.fields, now = plan.now, field = ask.field, kind = ask.kind,
      limit = ask.limit, per = ask.per, extra = ask.extra, cost = ask.cost, wait = 0,
      counts_denied = ask.counts_denied, has_short_way = ask.hit ~= nil,
    }
  end
  return rows, subjects
end

-- Reads the fields of a subject, and answers for how long it is blocked.
local function read_subject(subject, now)
  subject.states = call('HMGET', subject.key, unpack(subject.fields))
  local marks = subject.states[1]
  if not marks then return 0 end
  local blocked = tonumber(match(marks, '^1|(%d+)') or '0') - now
  subject.life, subject.overrides = blocked, {}
  for name, limit, refill, ends in string.gmatch(marks, '([^|,]+),(%d+),(%d+),(%d+)') do
    subject.life = max(subject.life, ends - now)
    if tonumber(ends) > now then subject.overrides[name] = { limit = tonumber(limit), refill = tonumber(refill) } end
  end
  return blocked
end

local function read_row(row)
  local overrides = row.subject.overrides
  local override = overrides and overrides[match(row.field, '^..:(.+)@')]
  if override then
    row.limit = override.limit
    if override.refill > 0 then row.refill = override.refill end
  end
  read(row, row.subject.states[row.place])
  row.wait = wait_of(row, row.cost)
end

-- Notes what is to be written of a row.
local function keep(row)
  local subject, text, life = row.subject, state_of(row)
  if row.has_short_way and subject.overrides then text = '!' .. text end
  local writes = subject.writes
  writes[#writes + 1], writes[#writes + 2] = row.field, text
  subject.life = max(subject.life, life)
end

local function decide(plan, keys)
  local rows, subjects = rows_of(plan, keys)
  local blocked = 0
  for _, subject in ipairs(subjects) do blocked = max(blocked, read_subject(subject, plan.now)) end
  local allowed, counts_denied = blocked == 0, plan.spends and blocked == 0
  for _, row in ipairs(rows) do
    read_row(row)
    allowed, counts_denied = allowed and row.wait == 0, counts_denied and row.wait >= 0
  end

  local spends, keeps = allowed and plan.spends, plan.spends
  local reply = { 1, plan.now, allowed and 1 or 0, blocked }
  for _, row in ipairs(rows) do
    local counts = spends or counts_denied and row.counts_denied
    local stamp = counts and spend(row) or 0
    if counts and not allowed then row.wait = wait_of(row, row.cost) end
    local remaining = remaining_of(row)
    local base = #reply
    reply[base + 1], reply[base + 2], reply[base + 3] = row.limit, remaining, row.wait
    reply[base + 4], reply[base + 5] = remaining > 0 and 0 or wait_of(row, 1), stamp
    if counts or (keeps and row.moved) then keep(row) end
  end
  for _, subject in ipairs(subjects) do
    if #subject.writes > 0 then
      call('HSET', subject.key, unpack(subject.writes))
      keep_alive(subject.key, subject.life)
    end
  end
  return reply
end
