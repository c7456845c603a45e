import { X509Certificate } from 'node:crypto'
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'vitest'
import { systemClock } from '../../../services/wire/clock.ts'
import { loadSettings } from '../../config/settings.ts'
import type { CommandContext } from '../command.ts'
import { run } from './trust.ts'
import { testTerminal } from '../../tests/test-terminal.ts'

test('trust makes the authority, says where it is and how to trust it, and the same one again', async ({
  expect,
  onTestFinished,
}) => {
  const cacheDir = await mkdtemp(join(tmpdir(), 'aldea-trust-'))
  onTestFinished(() => rm(cacheDir, { recursive: true, force: true }))
  const say = async (options: CommandContext['options']): Promise<string> => {
    const written = testTerminal()
    const settings = loadSettings({ ALDEA_CACHE_DIR: cacheDir }, cacheDir)
    expect(await run({ args: [], options, settings, terminal: written.terminal, clock: systemClock })).toBe(0)
    return written.out
  }

  const file = (await say({ file: true })).trim()
  expect(file).toBe(join(cacheDir, 'tls', 'ca', 'ca.pem'))
  const { fingerprint256 } = new X509Certificate(await readFile(file))
  const text = await say({})
  expect(text).toContain(fingerprint256)
  expect(text).toContain(`curl --cacert '${file}'`)
  expect(text).toContain('To undo that')
  expect(await readdir(join(cacheDir, 'tls'))).toEqual(['ca'])
})
