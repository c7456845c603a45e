import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { Redis } from 'ioredis'
import { emulatedRedis } from '../../emulator/backends/redis/emulated.ts'
import { systemClock } from '../wire/clock.ts'
import { systemIds } from '../wire/ids.ts'
import { silentLog } from '../wire/log.ts'
import type { Running, Runtime, StartService, Variables } from '../wire/runtime.ts'
import { createShared } from '../wire/shared.ts'
import { hashKey } from './keys.ts'
import { redisKeys } from './redis-keys.ts'

type OnFinished = (cleanup: () => Promise<void> | void) => void

export const TEST_KEY = 'org_test_key-1'
const TEST_ORGANISATION = 'acme'

/** A Redis server on a port of its own, and a client of it; both end with the test. */
export interface TestRedis {
  readonly url: string
  readonly client: Redis
  /** Takes the server away, connections and all. */
  stop(): Promise<void>
  /** Brings an empty one back to the same port. */
  restart(): Promise<void>
}

export async function startRedis(onFinished: OnFinished): Promise<TestRedis> {
  const startOn = (port: number): ReturnType<typeof emulatedRedis.start> =>
    emulatedRedis.start({ stateDir: tmpdir(), port, log: silentLog })
  let backend = await startOn(0)
  const client = new Redis(backend.url, { retryStrategy: () => 5, maxRetriesPerRequest: null })
  client.on('error', () => undefined)
  onFinished(async () => {
    client.disconnect()
    await backend.stop()
  })
  return {
    url: backend.url,
    client,
    stop: () => backend.stop(),
    async restart() {
      backend = await startOn(Number(new URL(backend.url).port))
    },
  }
}

/** Writes what redis-seeder would: the key's organisation and its limits. */
export async function addKey(
  { client }: Pick<TestRedis, 'client'>,
  limits: Record<string, number> = {},
  key = TEST_KEY,
): Promise<void> {
  const hash = hashKey(key)
  await client.set(redisKeys.apiKey(hash), TEST_ORGANISATION)
  await client.sadd(redisKeys.apiKeys(TEST_ORGANISATION), hash)
  await client.hset(redisKeys.limits(TEST_ORGANISATION), { max_connections: 10, ...limits, version: 1 })
}

/** The usage events written so far, oldest first, without the time they ended. */
export async function usageIn({ client }: TestRedis): Promise<Record<string, string>[]> {
  const entries = await client.xrange(redisKeys.usageEvents, '-', '+')
  return entries.map(([, fields]) => {
    const pairs = fields.flatMap((name, index) => (index % 2 === 0 ? [[name, fields[index + 1] ?? ''] as const] : []))
    return Object.fromEntries(pairs.filter(([name]) => name !== 'at'))
  })
}

export function testRuntime(runtime: Partial<Runtime> = {}): Runtime {
  return { clock: systemClock, log: silentLog, ids: systemIds, shared: createShared(), ...runtime }
}

export interface TestService {
  readonly running: Running
  /** `http://127.0.0.1:port` */
  readonly url: string
}

/** A service on a port of its own; it ends with the test. */
export async function startListening(
  onFinished: OnFinished,
  start: StartService,
  variables: Variables,
  runtime: Partial<Runtime> = {},
): Promise<TestService> {
  const running = await start(variables, testRuntime(runtime))
  onFinished(() => running.stop())
  const { server } = running
  if (!server) throw new Error('The service has no HTTP server.')
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (!address || typeof address === 'string') throw new Error('The service has no port.')
  return { running, url: `http://127.0.0.1:${address.port}` }
}
