"""The gate's scripts: each is one step that nobody sees half of.

A coupon's gate is two keys with one hash tag. `coupon-gate:{<id>}` is a hash: `epoch`, `state` (`loading` or `open`),
`total`, `since` (when it began to load) and `until` (when both keys go away), in milliseconds.
`coupon-gate:{<id>}:users` is a sorted set of the users that were let through. A score of 0 means that the user's row
was seen; any other is the moment of the claim in milliseconds, by the clock of Redis. Its size is the counter, so
counter and users can't differ.
"""

# KEYS: gate and users of each coupon. ARGV, for each coupon: epoch, how many users, the users.
# Returns, for each coupon: its state, and if that is open what became of each user.
CLAIM = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local answer, at = {}, 1
for key = 1, #KEYS, 2 do
  local gate, users = KEYS[key], KEYS[key + 1]
  local epoch, count = ARGV[at], tonumber(ARGV[at + 1])
  local known = redis.call('HMGET', gate, 'epoch', 'state', 'total', 'until')
  local state = known[2]
  if not known[1] then state = 'absent' elseif known[1] ~= epoch then state = 'other-epoch' end
  answer[#answer + 1] = state
  if state == 'open' then
    local before = redis.call('ZCARD', users)
    local size, total = before, tonumber(known[3])
    for number = 1, count do
      local user = ARGV[at + 1 + number]
      local claim = 'sold-out'
      if redis.call('ZSCORE', users, user) then
        claim = 'held'
      elseif size < total then
        redis.call('ZADD', users, now, user)
        size = size + 1
        claim = 'claimed'
      end
      answer[#answer + 1] = claim
    end
    if size > before then redis.call('PEXPIREAT', users, known[4]) end
  end
  at = at + 2 + count
end
return answer
"""

# KEYS and ARGV as above; removes the users, but none whose row was seen. Returns how many that were.
RELEASE = """
local removed, at = 0, 1
for key = 1, #KEYS, 2 do
  local count = tonumber(ARGV[at + 1])
  if redis.call('HGET', KEYS[key], 'epoch') == ARGV[at] then
    for number = 1, count do
      local user = ARGV[at + 1 + number]
      if tonumber(redis.call('ZSCORE', KEYS[key + 1], user) or 0) ~= 0 then
        removed = removed + redis.call('ZREM', KEYS[key + 1], user)
      end
    end
  end
  at = at + 2 + count
end
return removed
"""

# KEYS: gate and users of each coupon. ARGV: milliseconds, most.
# Returns, for each coupon: epoch, state, total, for how many milliseconds since it began to load, users, those with
# their row, and claims that are older, most of them, each with its score.
VIEW = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local answer = {}
for key = 1, #KEYS, 2 do
  local known = redis.call('HMGET', KEYS[key], 'epoch', 'state', 'total', 'since')
  local users = KEYS[key + 1]
  answer[#answer + 1] = {
    known[1] or '', known[2] or '', known[3] or '', now - (tonumber(known[4]) or now),
    redis.call('ZCARD', users), redis.call('ZCOUNT', users, 0, 0),
    redis.call('ZRANGE', users, '(0', now - tonumber(ARGV[1]), 'BYSCORE', 'LIMIT', 0, ARGV[2], 'WITHSCORES')
  }
end
return answer
"""

# KEYS: gate, users. ARGV: epoch, users. Returns 1, or 0 if the gate is of another epoch.
CONFIRM = """
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return 0 end
for number = 2, #ARGV do redis.call('ZADD', KEYS[2], 0, ARGV[number]) end
if #ARGV > 1 then redis.call('PEXPIREAT', KEYS[2], redis.call('HGET', KEYS[1], 'until')) end
return 1
"""

# KEYS: gate, users. ARGV: epoch, then pairs of a user and the score that he must still have.
# Returns how many were removed.
RELEASE_OLD = """
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return 0 end
local removed = 0
for number = 2, #ARGV, 2 do
  if tonumber(redis.call('ZSCORE', KEYS[2], ARGV[number]) or -1) == tonumber(ARGV[number + 1]) then
    removed = removed + redis.call('ZREM', KEYS[2], ARGV[number])
  end
end
return removed
"""

# KEYS: gate, users. ARGV: epoch, total, until. Returns 1, or 0 if the gate is of this epoch or a later one.
BEGIN = """
local known = tonumber(redis.call('HGET', KEYS[1], 'epoch') or -1)
if known >= tonumber(ARGV[1]) then return 0 end
local time = redis.call('TIME')
redis.call('DEL', KEYS[1], KEYS[2])
redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'state', 'loading', 'total', ARGV[2],
  'since', time[1] * 1000 + math.floor(time[2] / 1000), 'until', ARGV[3])
redis.call('PEXPIREAT', KEYS[1], ARGV[3])
return 1
"""

# KEYS: gate. ARGV: epoch. Returns 1, or 0 if the gate is of another epoch.
OPEN = """
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'state', 'open')
return 1
"""
