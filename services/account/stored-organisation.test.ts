import { test } from 'vitest'
import { addOrganisation, createSchema, usePostgres } from '../backend/testing.ts'
import { readOrganisationPage, readOrganisations, type StoredOrganisation } from './stored-organisation.ts'

const openDatabase = usePostgres()
const hash = (digit: number): string => String(digit).repeat(64)

test.for([1, 2, 3, 10])('pages of %i say what asking by id says', async (count, { expect, onTestFinished }) => {
  const database = await openDatabase(onTestFinished)
  const { pool } = database
  await createSchema(database)
  await addOrganisation(database, 'b', { hashes: [hash(1), hash(2)], revoked: [hash(3)] })
  await addOrganisation(database, 'a', { revoked: [hash(4)] })
  await addOrganisation(database, 'c-gone', { hashes: [hash(5)] })
  await addOrganisation(database, 'c')
  await addOrganisation(database, 'd_2', { hashes: [hash(6)] })
  await addOrganisation(database, 'd-1', { hashes: [hash(7)] })
  await pool.query(`DELETE FROM organisations WHERE id = 'c-gone'`)
  await pool.query(`UPDATE limits SET max_connections = 3, requests_per_minute = 60 WHERE organisation_id = 'b'`)
  await pool.query(`DELETE FROM limits WHERE organisation_id = 'c'`)

  const paged: StoredOrganisation[] = []
  let page: StoredOrganisation[]
  do {
    page = await readOrganisationPage(pool, { after: paged.at(-1)?.id ?? '', count })
    paged.push(...page)
  } while (page.length > 0)

  const { organisations } = await readOrganisations(pool, ['a', 'b', 'c', 'c-gone', 'd_2', 'd-1'])
  expect(paged).toHaveLength(5)
  expect(paged).toEqual(organisations)
})
