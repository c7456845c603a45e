import { toScript } from './script.ts'

/**
 * The only way in which an organisation is written to Redis. Arguments: `1` to overwrite whatever is there, how long a
 * tombstone stays in milliseconds, then for each organisation: id, version, what to do, its fields of the limits and its
 * key hashes, each list led by its length, the last one being that of the revoked hashes.
 *
 * - `put` writes limits and keys, and takes back every key that is not in force.
 * - `remove` leaves a tombstone: limits that hold nothing but `version` and `deleted`, so that an older fetch that
 *   arrives late does not bring the organisation back.
 * - `forget` leaves nothing, and only happens while Redis still has exactly the given version.
 *
 * `put` and `remove` give way to a newer version. Answers one character for each organisation: 1 done, 0 given way.
 * A key that belongs to another organisation by now is left alone.
 */
export const WRITE = toScript(`
local force, tombstoneMs, at = ARGV[1] == '1', ARGV[2], 3
local last = #ARGV
local answers = {}

local function list()
  local from = at + 1
  at = from + tonumber(ARGV[at])
  return from, at - 1
end

local function revoke(id, hash)
  local name = 'apikey:' .. hash
  if redis.call('GET', name) == id then redis.call('DEL', name) end
end

while at <= last do
  local id, version, action = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  at = at + 3
  local fieldsFrom, fieldsTo = list()
  local keysFrom, keysTo = list()
  local revokedFrom, revokedTo = list()
  local limits, members = 'org:' .. id .. ':limits', 'org:' .. id .. ':api_keys'

  local cached = redis.call('HGET', limits, 'version') or ''
  local isDue = force
  if action == 'forget' then
    isDue = isDue or cached == version
  else
    isDue = isDue or not tonumber(cached) or tonumber(cached) <= tonumber(version)
  end

  if isDue then
    local inForce = {}
    for index = keysFrom, keysTo do inForce[ARGV[index]] = true end
    for _, hash in ipairs(redis.call('SMEMBERS', members)) do
      if not inForce[hash] then revoke(id, hash) end
    end
    for index = revokedFrom, revokedTo do revoke(id, ARGV[index]) end
    redis.call('DEL', limits, members)

    for index = keysFrom, keysTo do redis.call('SET', 'apikey:' .. ARGV[index], id) end
    for from = keysFrom, keysTo, 1000 do
      redis.call('SADD', members, unpack(ARGV, from, math.min(from + 999, keysTo)))
    end
    if action == 'put' then
      redis.call('HSET', limits, unpack(ARGV, fieldsFrom, fieldsTo))
    elseif action == 'remove' then
      redis.call('HSET', limits, 'version', version, 'deleted', '1')
      redis.call('PEXPIRE', limits, tombstoneMs)
    end
  end
  answers[#answers + 1] = isDue and '1' or '0'
end
return table.concat(answers)
`)
