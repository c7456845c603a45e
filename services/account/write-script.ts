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
 *
 * What takes Redis its time is the number of calls, so what is there already is not written again, and the owners of all
 * keys are written at the end, together.
 */
export const WRITE = toScript(`
local force, tombstoneMs, at = ARGV[1] == '1', ARGV[2], 3
local last = #ARGV
local answers, owner = {}, {}

local function list()
  local from = at + 1
  at = from + tonumber(ARGV[at])
  return from, at - 1
end

local function revoke(id, hash)
  local name = 'apikey:' .. hash
  if owner[name] == id then owner[name] = nil end
  if redis.call('GET', name) == id then redis.call('DEL', name) end
end

local function read(name)
  local all, fields = redis.call('HGETALL', name), {}
  for index = 1, #all, 2 do fields[all[index]] = all[index + 1] end
  return fields, #all
end

local function has(fields, from, to)
  for index = from, to, 2 do
    if fields[ARGV[index]] ~= ARGV[index + 1] then return false end
  end
  return true
end

while at <= last do
  local id, version, action = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  at = at + 3
  local fieldsFrom, fieldsTo = list()
  local keysFrom, keysTo = list()
  local revokedFrom, revokedTo = list()
  local limits, members = 'org:' .. id .. ':limits', 'org:' .. id .. ':api_keys'

  local cached, size = read(limits)
  local known = cached.version or ''
  local isDue = force
  if action == 'forget' then
    isDue = isDue or known == version
  else
    isDue = isDue or not tonumber(known) or tonumber(known) <= tonumber(version)
  end

  if isDue then
    local inForce = {}
    for index = keysFrom, keysTo do inForce[ARGV[index]] = true end
    local listed = redis.call('SMEMBERS', members)
    local isListed = #listed == keysTo - keysFrom + 1
    for _, hash in ipairs(listed) do
      if not inForce[hash] then
        isListed = false
        revoke(id, hash)
      end
    end
    for index = revokedFrom, revokedTo do revoke(id, ARGV[index]) end

    for index = keysFrom, keysTo do owner['apikey:' .. ARGV[index]] = id end
    if not isListed then
      if #listed > 0 then redis.call('DEL', members) end
      for from = keysFrom, keysTo, 1000 do
        redis.call('SADD', members, unpack(ARGV, from, math.min(from + 999, keysTo)))
      end
    end
    local isThere = action == 'put' and size == fieldsTo - fieldsFrom + 1 and has(cached, fieldsFrom, fieldsTo)
    if size > 0 and not isThere then redis.call('DEL', limits) end
    if action == 'put' and not isThere then
      redis.call('HSET', limits, unpack(ARGV, fieldsFrom, fieldsTo))
    elseif action == 'remove' then
      redis.call('HSET', limits, 'version', version, 'deleted', '1')
      redis.call('PEXPIRE', limits, tombstoneMs)
    end
  end
  answers[#answers + 1] = isDue and '1' or '0'
end
local owners = {}
for name, id in pairs(owner) do
  owners[#owners + 1] = name
  owners[#owners + 1] = id
end
for from = 1, #owners, 1000 do
  redis.call('MSET', unpack(owners, from, math.min(from + 999, #owners)))
end
return table.concat(answers)
`)
