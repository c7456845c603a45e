import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, test } from 'vitest'
import { silentLog } from '../../../services/wire/log.ts'
import { postgresContract } from './contract.ts'
import { embeddedPostgres } from './embedded.ts'
import { urlWith } from './ensure-database.ts'
import { externalPostgres } from './external.ts'

const folder = mkdtempSync(join(tmpdir(), 'aldea-external-'))
const adapter = embeddedPostgres({ cacheDir: join(folder, 'cache') })
const probed = await adapter.probe()
const server = probed.available
  ? await adapter.start({ stateDir: join(folder, 'state'), port: 0, database: 'theirs', log: silentLog })
  : undefined
afterAll(async () => {
  await server?.stop()
  rmSync(folder, { recursive: true })
})

const url = server?.url ?? 'postgres://127.0.0.1:1'
postgresContract(externalPostgres(urlWith(url, '')), probed.available ? undefined : probed.reason)

test.skipIf(!probed.available)('a database that the URL names is used, and made when absent', async ({ expect }) => {
  const external = externalPostgres(urlWith(url, 'named'))
  const backend = await external.start({ stateDir: folder, port: 0, database: 'other', log: silentLog })
  expect(new URL(backend.url).pathname).toBe('/named')
  expect(backend.detail).toMatch(/PostgreSQL 18.* external, database named/)
  expect(backend.detail).not.toContain(new URL(url).password)
})

test('a URL that leads nowhere is declined with the reason, without the password', async ({ expect }) => {
  expect(await externalPostgres('postgres://me:secret@127.0.0.1:1/app').probe()).toEqual({
    available: false,
    reason: 'PostgreSQL at 127.0.0.1:1 cannot be used: connect ECONNREFUSED 127.0.0.1:1.',
  })
  expect(await externalPostgres('mysql://127.0.0.1').probe()).toMatchObject({ available: false })
})
