import { test } from 'vitest'
import { addOrganisation, createSchema, usePostgres } from '../backend/testing.ts'
import { checkConsistency, type CheckOptions } from './consistency.ts'
import { copyOrganisations, type Stores } from './copy-organisations.ts'
import type { Finding } from './judge.ts'
import { repairConsistency } from './repair.ts'
import { startRedis } from './testing.ts'

const openDatabase = usePostgres()

type OnFinished = Parameters<typeof openDatabase>[0]

const [A, B, C] = ['a', 'b', 'c'].map((digit) => digit.repeat(64)) as [string, string, string]

/** The organisations acme, with a key in force and a revoked one, and other, both copied. */
async function agreeing(onFinished: OnFinished): Promise<Stores> {
  const database = await openDatabase(onFinished)
  await createSchema(database)
  const { client } = await startRedis(onFinished)
  await addOrganisation(database, 'acme', { hashes: [A], revoked: [C] })
  await addOrganisation(database, 'other', { hashes: [B] })
  const stores = { pool: database.pool, redis: client }
  await copyOrganisations(stores, ['acme', 'other'])
  // As if db-sync had told of them.
  await database.pool.query('DELETE FROM organisation_outbox')
  return stores
}

async function found(stores: Stores, options: CheckOptions = {}): Promise<Finding[]> {
  const all: Finding[] = []
  for await (const each of checkConsistency(stores, options)) all.push(each)
  return all
}

/** What a finding is about, and where the change is that will mend it. */
function shown(findings: readonly Finding[]): string[] {
  return findings.map(({ organisation, kind, inFlight }) =>
    [organisation, kind, ...(inFlight === undefined ? [] : [inFlight])].join(' '),
  )
}

test.for<[string, readonly string[], (stores: Stores) => Promise<unknown>]>([
  ['nothing', [], async () => undefined],
  [
    'an emptied Redis',
    ['acme missing', 'acme key-missing', 'other missing', 'other key-missing'],
    ({ redis }) => redis.flushall(),
  ],
  [
    'a change that was not copied',
    ['acme stale', 'acme limits-differ'],
    ({ pool }) => pool.query(`UPDATE limits SET max_connections = 3 WHERE organisation_id = 'acme'`),
  ],
  ['a database that was set back', ['acme ahead'], ({ redis }) => redis.hset('org:acme:limits', 'version', 99)],
  [
    'an organisation from nowhere',
    ['nowhere unknown-organisation'],
    ({ redis }) => redis.hset('org:nowhere:limits', 'version', 1),
  ],
  [
    'a deletion that was not copied',
    ['other unknown-organisation'],
    ({ pool }) => pool.query(`DELETE FROM organisations WHERE id = 'other'`),
  ],
  ['a lost key', ['acme key-missing'], ({ redis }) => redis.del(`apikey:${A}`)],
  ['a key that is not listed', ['acme key-missing'], ({ redis }) => redis.del('org:acme:api_keys')],
  ['a key that is accepted for another', ['acme key-wrong'], ({ redis }) => redis.set(`apikey:${A}`, 'other')],
  ['a revoked key', ['acme key-revoked-but-accepted'], ({ redis }) => redis.set(`apikey:${C}`, 'acme')],
  [
    'a key from nowhere',
    ['acme key-revoked-but-accepted'],
    ({ redis }) => redis.set(`apikey:${'f'.repeat(64)}`, 'acme'),
  ],
  ['a listed key from nowhere', ['acme key-wrong'], ({ redis }) => redis.sadd('org:acme:api_keys', 'f'.repeat(64))],
  ['other limits', ['acme limits-differ'], ({ redis }) => redis.hset('org:acme:limits', 'requests_per_minute', 5)],
])('%s is found and repaired', async ([, kinds, damage], { expect, onTestFinished }) => {
  const stores = await agreeing(onTestFinished)
  await damage(stores)
  await stores.pool.query('DELETE FROM organisation_outbox')

  const disagreements = await found(stores)
  expect(shown(disagreements)).toEqual(kinds)
  await repairConsistency(stores, disagreements)

  expect(await found(stores)).toEqual([])
})

test('one organisation is checked without the others', async ({ expect, onTestFinished }) => {
  const stores = await agreeing(onTestFinished)
  await stores.redis.flushall()

  expect((await found(stores, { organisation: 'other' })).map(({ organisation }) => organisation)).toEqual([
    'other',
    'other',
  ])
  expect(await found(stores, { organisation: 'nobody' })).toEqual([])
})

test('changes that are copied while it checks are no disagreement', async ({ expect, onTestFinished }) => {
  const stores = await agreeing(onTestFinished)
  const changing = new AbortController()
  const checking = (async () => {
    const all: Finding[] = []
    while (!changing.signal.aborted) all.push(...(await found(stores)))
    return all.filter(({ kind }) => kind === 'ahead' || kind.startsWith('key') || kind === 'unknown-organisation')
  })()

  for (let limit = 1; limit <= 20; limit += 1) {
    await stores.pool.query('UPDATE limits SET max_connections = $1', [limit])
    await copyOrganisations(stores, ['acme', 'other'])
  }
  changing.abort()

  expect(await checking).toEqual([])
  expect(await found(stores)).toEqual([])
})

test('what a change will mend that is underway says where the change is', async ({ expect, onTestFinished }) => {
  const stores = await agreeing(onTestFinished)
  const { pool, redis } = stores
  await pool.query(`UPDATE limits SET max_connections = 3 WHERE organisation_id = 'acme'`)
  await pool.query(`DELETE FROM organisations WHERE id = 'other'`)
  await redis.set(`apikey:${'f'.repeat(64)}`, 'acme')
  const orphan = 'acme key-revoked-but-accepted'
  expect(shown(await found(stores))).toEqual([
    'acme stale outbox',
    'acme limits-differ outbox',
    'other unknown-organisation outbox',
    // No change mends this one.
    orphan,
  ])

  await pool.query('DELETE FROM organisation_outbox')
  const inQueue = (names: string[], hasUnseen: boolean): CheckOptions => ({
    inQueue: () => Promise.resolve({ organisations: new Set(names), hasUnseen }),
  })
  expect(shown(await found(stores, inQueue(['acme'], false)))).toEqual([
    'acme stale queue',
    'acme limits-differ queue',
    'other unknown-organisation',
    orphan,
  ])
  expect(shown(await found(stores, inQueue(['acme'], true)))).toContain('other unknown-organisation unseen')
})

test('a copy that is ahead is mended by no change', async ({ expect, onTestFinished }) => {
  const stores = await agreeing(onTestFinished)
  await stores.redis.hset('org:acme:limits', 'version', 99)
  await stores.pool.query(`UPDATE limits SET max_connections = 3 WHERE organisation_id = 'acme'`)

  expect(shown(await found(stores))).toEqual(['acme ahead', 'acme limits-differ'])
})

test('a change that arrives while its place is looked for is no finding', async ({ expect, onTestFinished }) => {
  const stores = await agreeing(onTestFinished)
  await stores.pool.query(`UPDATE limits SET max_connections = 3 WHERE organisation_id = 'acme'`)
  await stores.pool.query('DELETE FROM organisation_outbox')
  let looks = 0
  const inQueue = async () => {
    looks += 1
    await copyOrganisations(stores, ['acme'])
    // A change after the look: it is looked for once more.
    if (looks === 1) await stores.pool.query(`UPDATE limits SET max_connections = 4 WHERE organisation_id = 'acme'`)
    return { organisations: new Set<string>(), hasUnseen: false }
  }

  expect(shown(await found(stores, { inQueue }))).toEqual(['acme stale outbox', 'acme limits-differ outbox'])
})
