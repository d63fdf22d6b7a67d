--@part keep-alive: how long a subject is remembered

local function keep_alive(key, life)
  life = max(60000, life)
  -- Set further ahead than needed, so that not every write has to.
  if call('PTTL', key) < life then call('PEXPIRE', key, format('%.0f', ceil(life * 1.5))) end
end
