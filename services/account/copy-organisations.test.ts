import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { Redis } from 'ioredis'
import { describe, test, type TestContext } from 'vitest'
import { emulatedRedis } from '../../emulator/backends/redis/emulated.ts'
import { installedRedis } from '../../emulator/backends/redis/installed.ts'
import { silentLog } from '../wire/log.ts'
import { readCachedOrganisations, type Write, writeOrganisations } from './cached-organisation.ts'
import { compare } from './compare.ts'
import type { StoredOrganisation } from './stored-organisation.ts'

const installed = installedRedis()
const probe = await installed.probe()
const HASHES = ['a', 'b', 'c', 'd'].map((digit) => digit.repeat(64))

describe.for([
  { name: 'an emulated Redis', adapter: emulatedRedis, isThere: true },
  { name: 'an installed Redis', adapter: installed, isThere: probe.available },
])('on $name', ({ adapter, isThere }) => {
  const connected = async (onTestFinished: TestContext['onTestFinished']): Promise<Redis> => {
    const stateDir = await mkdtemp(join(tmpdir(), 'copy-'))
    const { url, stop } = await adapter.start({ stateDir, port: 0, log: silentLog })
    const client = new Redis(url)
    onTestFinished(async () => {
      client.disconnect()
      await stop()
      await rm(stateDir, { recursive: true })
    })
    return client
  }

  test.runIf(isThere)(
    'in whatever order fetches arrive, and however often, the newest state is what stays',
    async ({ expect, onTestFinished }) => {
      const redis = await connected(onTestFinished)
      await fc.assert(
        fc.asyncProperty(anyHistory, async ({ history, arrivals }) => {
          await redis.flushall()
          const states = history.map(toState)
          const arrived = arrivals.map((arrival) => arrival % states.length)
          for (const index of arrived) {
            const state = states[index]
            if (state) await writeOrganisations(redis, [state])
          }

          const newest = states[Math.max(...arrived)]
          const [cached] = await readCachedOrganisations(redis, [{ id: 'acme', hashes: HASHES }])
          if (!cached || !newest) throw new Error('Nothing was written.')
          expect(compare(newest.action === 'put' ? newest.organisation : undefined, cached)).toEqual([])
          const accepted = HASHES.filter((hash) => cached.owners.get(hash) !== '')
          expect(accepted).toEqual(newest.action === 'put' ? [...newest.organisation.keyHashes] : [])
        }),
        { numRuns: 60 },
      )
    },
  )

  test.runIf(isThere)(
    'a key that another organisation has by now stays with it',
    async ({ expect, onTestFinished }) => {
      const redis = await connected(onTestFinished)
      const [hash = ''] = HASHES
      const of = (id: string, version: number, keyHashes: string[]): Write => ({
        action: 'put',
        organisation: { ...EMPTY, id, version, keyHashes },
      })
      await writeOrganisations(redis, [of('acme', 1, [hash])])

      expect(await writeOrganisations(redis, [of('beta', 1, [hash]), of('acme', 2, [])])).toEqual([true, true])

      expect(await redis.get(`apikey:${hash}`)).toBe('beta')
      expect(await redis.exists('org:acme:api_keys')).toBe(0)
    },
  )

  test.runIf(isThere)(
    'an equal version heals, an older one gives way, force does not',
    async ({ expect, onTestFinished }) => {
      const redis = await connected(onTestFinished)
      const put = (version: number): Write[] => [
        { action: 'put', organisation: { ...EMPTY, version, keyHashes: HASHES } },
      ]
      await writeOrganisations(redis, put(5))
      await redis.del(`apikey:${HASHES[0]}`, 'org:acme:api_keys')

      expect(await writeOrganisations(redis, put(5))).toEqual([true])
      expect(await redis.scard('org:acme:api_keys')).toBe(HASHES.length)
      expect(await redis.exists(`apikey:${HASHES[0]}`)).toBe(1)
      expect(await writeOrganisations(redis, put(4))).toEqual([false])
      expect(await writeOrganisations(redis, put(4), { force: true })).toEqual([true])
      expect(await redis.hget('org:acme:limits', 'version')).toBe('4')
    },
  )

  test.runIf(isThere)(
    'whatever is wrong with a copy of the same version is mended',
    async ({ expect, onTestFinished }) => {
      const redis = await connected(onTestFinished)
      const [one = '', two = '', ...others] = HASHES
      const organisation = { ...EMPTY, keyHashes: [one, two] }
      const snapshot = async (): Promise<unknown> => ({
        limits: await redis.hgetall('org:acme:limits'),
        keys: (await redis.smembers('org:acme:api_keys')).toSorted(),
        owners: await redis.mget(HASHES.map((hash) => `apikey:${hash}`)),
      })
      await writeOrganisations(redis, [{ action: 'put', organisation }])
      const right = await snapshot()
      const damages = [
        () => redis.hset('org:acme:limits', 'max_connections', 99),
        () => redis.hset('org:acme:limits', 'more', 1),
        () => redis.hdel('org:acme:limits', 'max_connections'),
        () => redis.srem('org:acme:api_keys', one),
        () => redis.sadd('org:acme:api_keys', others),
        () => redis.multi().srem('org:acme:api_keys', one).sadd('org:acme:api_keys', 'other').exec(),
        () => redis.set(`apikey:${two}`, 'other'),
        () => redis.del(`apikey:${one}`),
      ]

      for (const damage of damages) {
        await damage()
        expect(await snapshot()).not.toEqual(right)
        await writeOrganisations(redis, [{ action: 'put', organisation }])
        expect(await snapshot()).toEqual(right)
      }
    },
  )

  test.runIf(isThere)('what one call revokes is revoked, though it brought it', async ({ expect, onTestFinished }) => {
    const redis = await connected(onTestFinished)
    const put = (version: number, keyHashes: string[]): Write => ({
      action: 'put',
      organisation: { ...EMPTY, version, keyHashes },
    })
    const [hash = '', other = ''] = HASHES

    await writeOrganisations(redis, [put(1, [hash, other]), put(2, [other])])

    expect(await redis.mget(`apikey:${hash}`, `apikey:${other}`)).toEqual([null, 'acme'])
  })

  test.runIf(isThere)('thousands of keys of one organisation are one write', async ({ expect, onTestFinished }) => {
    const redis = await connected(onTestFinished)
    const keyHashes = Array.from({ length: 3_000 }, (_, index) => index.toString(16).padStart(64, '0'))
    const organisation = { ...EMPTY, keyHashes }

    await writeOrganisations(redis, [{ action: 'put', organisation }])

    const [cached] = await readCachedOrganisations(redis, [{ id: 'acme', hashes: [] }])
    expect(cached && compare(organisation, cached)).toEqual([])
  })
})

const EMPTY: StoredOrganisation = {
  id: 'acme',
  version: 1,
  keyHashes: [],
  revokedKeyHashes: [],
  limits: { maxConnections: 10, requestsPerMinute: undefined },
}

/** What an organisation was, one version after the other: its keys and limits, or nothing where it was deleted. */
const anyState = fc.option(
  fc.record({ keyHashes: fc.subarray(HASHES), requestsPerMinute: fc.option(fc.nat(), { nil: undefined }) }),
)
const anyHistory = fc.record({
  history: fc.array(anyState, { minLength: 1, maxLength: 6 }),
  arrivals: fc.array(fc.nat({ max: 5 }), { minLength: 1, maxLength: 8 }),
})

function toState(
  state: { readonly keyHashes: string[]; readonly requestsPerMinute: number | undefined } | null,
  index: number,
): Exclude<Write, { action: 'forget' }> {
  const version = index + 1
  if (!state) return { action: 'remove', id: 'acme', version }
  const { keyHashes, requestsPerMinute } = state
  const revokedKeyHashes = HASHES.filter((hash) => !keyHashes.includes(hash))
  const organisation = {
    id: 'acme',
    version,
    keyHashes,
    revokedKeyHashes,
    limits: { maxConnections: 3, requestsPerMinute },
  }
  return { action: 'put', organisation }
}
