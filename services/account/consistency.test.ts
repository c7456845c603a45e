import { test } from 'vitest'
import { addOrganisation, createSchema, usePostgres } from '../backend/testing.ts'
import { checkConsistency, type Disagreement, repairConsistency } from './consistency.ts'
import { copyOrganisations, type Stores } from './copy-organisations.ts'
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
  return stores
}

async function found(stores: Stores, organisation?: string): Promise<Disagreement[]> {
  const all: Disagreement[] = []
  for await (const each of checkConsistency(stores, { organisation })) all.push(each)
  return all
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

  const disagreements = await found(stores)
  expect(disagreements.map(({ organisation, kind }) => `${organisation} ${kind}`)).toEqual(kinds)
  await repairConsistency(stores, disagreements)

  expect(await found(stores)).toEqual([])
})

test('one organisation is checked without the others', async ({ expect, onTestFinished }) => {
  const stores = await agreeing(onTestFinished)
  await stores.redis.flushall()

  expect((await found(stores, 'other')).map(({ organisation }) => organisation)).toEqual(['other', 'other'])
  expect(await found(stores, 'nobody')).toEqual([])
})

test('changes that are copied while it checks are no disagreement', async ({ expect, onTestFinished }) => {
  const stores = await agreeing(onTestFinished)
  const changing = new AbortController()
  const checking = (async () => {
    const all: Disagreement[] = []
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
