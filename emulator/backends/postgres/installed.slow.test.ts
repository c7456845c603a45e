import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { postgresContract } from './contract.ts'
import { installedPostgres } from './installed.ts'

const cacheDir = mkdtempSync(join(tmpdir(), 'aldea-cache-'))
afterAll(() => rmSync(cacheDir, { recursive: true }))

const adapter = installedPostgres({ cacheDir })
const probed = await adapter.probe()

postgresContract(adapter, probed.available ? undefined : probed.reason)
