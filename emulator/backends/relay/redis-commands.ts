/** What a replica refuses: the commands that Redis 7 flags as `write`, and scripts, which may write. */
const WRITES = new Set(
  `append bitfield bitop blmove blmpop blpop brpop brpoplpush bzmpop bzpopmax bzpopmin copy decr decrby del eval evalsha
  expire expireat fcall flushall flushdb function geoadd georadius georadiusbymember geosearchstore getdel getex getset
  hdel hexpire hexpireat hincrby hincrbyfloat hmset hpersist hpexpire hpexpireat hset hsetnx incr incrby incrbyfloat
  linsert lmove lmpop lpop lpush lpushx lrem lset ltrim migrate move mset msetnx persist pexpire pexpireat pfadd pfmerge
  psetex rename renamenx restore rpop rpoplpush rpush rpushx sadd sdiffstore set setbit setex setnx setrange
  sinterstore smove sort spop srem sunionstore swapdb unlink xack xadd xautoclaim xclaim xdel xgroup xreadgroup xsetid
  xtrim zadd zdiffstore zincrby zinterstore zmpop zpopmax zpopmin zrangestore zrem zremrangebylex zremrangebyrank
  zremrangebyscore zunionstore`.split(/\s+/),
)
const WAITS = new Set('blmove blmpop blpop brpop brpoplpush bzmpop bzpopmax bzpopmin'.split(' '))
const STREAM_READS = new Set(['xread', 'xreadgroup'])
const SUBSCRIBES = new Set(['subscribe', 'psubscribe', 'ssubscribe', 'monitor'])

export interface CommandTraits {
  readonly isWrite: boolean
  /** Whether it may block until there is something. */
  readonly mayWait: boolean
  readonly isSubscribe: boolean
}

/** What a replica would make of a command, by its first words. */
export function traitsOf(words: readonly string[]): CommandTraits {
  const name = words[0]?.toLowerCase() ?? ''
  const traits = TRAITS.get(name) ?? NONE
  if (!STREAM_READS.has(name)) return traits
  return { ...traits, mayWait: words.some((word) => word.toLowerCase() === 'block') }
}

const NONE: CommandTraits = { isWrite: false, mayWait: false, isSubscribe: false }
const TRAITS: ReadonlyMap<string, CommandTraits> = new Map(
  [...WRITES, ...WAITS, ...SUBSCRIBES].map((name) => [
    name,
    { isWrite: WRITES.has(name), mayWait: WAITS.has(name), isSubscribe: SUBSCRIBES.has(name) },
  ]),
)
