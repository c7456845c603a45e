import { Redis } from 'ioredis'
import { Client } from 'pg'
import { request } from '../../../services/wire/undici.ts'
import { redisKeys } from '../../../services/account/redis-keys.ts'
import { systemClock } from '../../../services/wire/clock.ts'
import type { Hosted, HostUsage } from './hosted.ts'

/** Usage that has to be, or may be, in the ledger. */
export interface Due {
  readonly requestId: string
  readonly what: string
  readonly leastSeconds: number
  readonly mostSeconds: number
}

/** The system between two rounds, when nobody asks anything of it. */
export interface QuietPoint {
  readonly usage: HostUsage
  readonly faults: readonly string[]
}

/** What a speech server says at GET /stats, as far as it is of interest here. */
interface Stats {
  readonly streams: number
  readonly files: number
  readonly waitingWindows: number
  readonly busyWorkers: number
}

/** Longer than a stream whose client left may still be summed up. */
const MOST_WAIT_MS = 90_000
const POLL_MS = 100
/** A worker that is stuck in a loop uses a core. */
const IDLE_SHARE = 0.2
const IDLE_WINDOW_MS = 500
const LEDGER_SLACK_SECONDS = 0.011

export interface Inspector {
  /** Waits until everything has come to rest; what does not, is a fault. */
  inspect(due: readonly Due[]): Promise<QuietPoint>
  close(): Promise<void>
}

export async function openInspector(host: Hosted): Promise<Inspector> {
  const { variables, organisation, speechServers } = host.places
  const redis = new Redis(variables['REDIS_URL'] ?? '')
  const postgres = new Client({ connectionString: variables['DATABASE_URL'] ?? '' })
  await postgres.connect()

  async function busyServers(): Promise<string | undefined> {
    for (const [name, address] of Object.entries(speechServers)) {
      const answer = await request(`${address}/stats`).catch(() => undefined)
      // One that was killed a moment ago comes back.
      if (!answer) return `${name} does not answer`
      const { streams, files, waitingWindows, busyWorkers } = (await answer.body.json()) as Stats
      if (streams !== 0 || files !== 0) return `${name} says that it has ${streams} streams and ${files} files`
      if (waitingWindows !== 0 || busyWorkers !== 0) {
        return `${name} has ${waitingWindows} windows waiting and ${busyWorkers} workers busy for nobody`
      }
    }
    return undefined
  }

  async function takenPlaces(): Promise<string | undefined> {
    const taken = await redis.zcard(redisKeys.connections(organisation))
    return taken > 0 ? `${taken} places of connections are taken` : undefined
  }

  async function work(): Promise<string | undefined> {
    const before = await host.cpuMs()
    await systemClock.sleep(IDLE_WINDOW_MS)
    const share = ((await host.cpuMs()) - before) / IDLE_WINDOW_MS
    return share > IDLE_SHARE ? `it uses ${(share * 100).toFixed(0)} % of a core for nothing` : undefined
  }

  async function wrongUsage(due: readonly Due[]): Promise<string | undefined> {
    const ids = due.map(({ requestId }) => requestId)
    const { rows } = await postgres.query<{ event_id: string; seconds: string }>(
      'SELECT event_id, seconds FROM usage_ledger WHERE event_id = ANY($1)',
      [ids],
    )
    const seconds = new Map(rows.map((row) => [row.event_id, Number(row.seconds)]))
    const wrong = due.flatMap(({ requestId, what, leastSeconds, mostSeconds }) => {
      const counted = seconds.get(requestId)
      if (counted === undefined) return [`no usage is counted for ${what}`]
      const isRight = counted >= leastSeconds - LEDGER_SLACK_SECONDS && counted <= mostSeconds + LEDGER_SLACK_SECONDS
      return isRight ? [] : [`${counted} s are counted for ${leastSeconds} to ${mostSeconds} s of ${what}`]
    })
    return wrong.length > 0 ? wrong.join('; ') : undefined
  }

  return {
    async inspect(due) {
      const faults = [
        await settled(busyServers),
        await settled(takenPlaces),
        await settled(() => wrongUsage(due)),
        await settled(work),
      ].filter((fault) => fault !== undefined)
      return { usage: await host.usage(), faults }
    },
    async close() {
      redis.disconnect()
      await postgres.end()
    },
  }
}

/** What is still wrong when patience ends. */
async function settled(look: () => Promise<string | undefined>): Promise<string | undefined> {
  const until = systemClock.now() + MOST_WAIT_MS
  for (;;) {
    const wrong = await look()
    if (wrong === undefined || systemClock.now() > until) return wrong
    await systemClock.sleep(POLL_MS)
  }
}
