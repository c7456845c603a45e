import { Redis } from 'ioredis'
import { messageOf } from '../../core/errors.ts'
import type { RedisAdapter } from './port.ts'

const CONNECT_TIMEOUT_MS = 5_000

/** A Redis that is there already: `redis://[user:password@]host:port[/number]`, or `rediss://` for TLS. */
export function externalRedis(url: string): RedisAdapter {
  return {
    name: 'external',
    async probe() {
      if (!URL.canParse(url) || !/^rediss?:$/.test(new URL(url).protocol)) {
        return { available: false, reason: 'The URL of Redis is not redis://host:port.' }
      }
      try {
        return { available: true, what: await versionOf(url) }
      } catch (error) {
        return { available: false, reason: `Redis at ${new URL(url).host} cannot be used: ${messageOf(error)}.` }
      }
    },
    async start() {
      const detail = `${new URL(url).host}  ${await versionOf(url)} external`
      return { url, detail, isReal: true, stop: () => Promise.resolve() }
    },
  }
}

/** `Redis 7.0.15`. Throws the reason of the first failure: the client's own would be that it has given up. */
async function versionOf(url: string): Promise<string> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: null, connectTimeout: CONNECT_TIMEOUT_MS })
  let first: Error | undefined
  client.on('error', (error: Error) => (first ??= error))
  try {
    await client.connect()
    const version = /redis_version:(\S+)/.exec(await client.info('server'))?.[1]
    return version === undefined ? 'Redis' : `Redis ${version}`
  } catch (error) {
    throw first ?? error
  } finally {
    client.disconnect()
  }
}
