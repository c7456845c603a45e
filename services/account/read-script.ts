import { toScript } from './script.ts'

/**
 * Reads organisations as they are at one moment. Arguments, for each: its id, how many key hashes to look up besides those
 * it lists, and these. Answers for each: the limits as names and values, the listed hashes, and whom every hash belongs
 * to, first the listed ones, then those asked for; '' is nobody.
 */
export const READ = toScript(`
local answers, at, last = {}, 1, #ARGV

while at <= last do
  local id, count = ARGV[at], tonumber(ARGV[at + 1])
  local members = redis.call('SMEMBERS', 'org:' .. id .. ':api_keys')
  local owners = {}
  for _, hash in ipairs(members) do owners[#owners + 1] = redis.call('GET', 'apikey:' .. hash) or '' end
  for index = at + 2, at + 1 + count do owners[#owners + 1] = redis.call('GET', 'apikey:' .. ARGV[index]) or '' end
  answers[#answers + 1] = { redis.call('HGETALL', 'org:' .. id .. ':limits'), members, owners }
  at = at + 2 + count
end
return answers
`)
