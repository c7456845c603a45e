import { Redis } from 'ioredis'
import { Client } from 'pg'
import { systemClock } from '../../../services/wire/clock.ts'
import { silentLog } from '../../../services/wire/log.ts'
import { choosePostgres, chooseRedis } from '../../backends/choose.ts'
import { createEventStream } from '../../core/events.ts'
import { openStateDir } from '../../core/state-dir.ts'

// Run by kill.test.ts, which kills it: holds an environment's two backends and commits to both for as long as it lives.
// It prints what it found at its start, then the number of every commit once it is acknowledged.

const [, , baseDir = '', cacheDir = ''] = process.argv
const { path: stateDir } = await openStateDir({ baseDir, name: 'killed' })
const options = { stateDir, cacheDir, redisBinary: undefined, port: 0, log: silentLog, clock: systemClock }
const events = createEventStream()
const [postgres, redis] = await Promise.all([
  choosePostgres({ ...options, events, name: 'postgres', database: 'aldea' }),
  chooseRedis({ ...options, events, name: 'redis' }),
])

const client = new Client({ connectionString: postgres.url })
await client.connect()
await client.query('CREATE TABLE IF NOT EXISTS ledger (id int PRIMARY KEY)')
const { rows } = await client.query<{ last: number }>('SELECT coalesce(max(id), 0) AS last FROM ledger')
const cache = new Redis(redis.url)
const last = Number((await cache.get('last')) ?? 0)
say({ found: { ledger: rows[0]?.last ?? 0, redis: redis.isReal ? last : undefined } })

for (let id = (rows[0]?.last ?? 0) + 1; ; id += 1) {
  await client.query('INSERT INTO ledger VALUES ($1)', [id])
  await cache.set('last', id)
  say({ committed: id })
}

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}
