import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'vitest'
import { systemClock } from '../../../services/wire/clock.ts'
import { loadSettings } from '../../config/settings.ts'
import { openStateDir } from '../../core/state-dir.ts'
import { createRegistry } from '../../tests/test-registry.ts'
import { testTerminal } from '../../tests/test-terminal.ts'
import type { CommandContext } from '../command.ts'
import { run } from './env.ts'

const RUNNING = createRegistry({
  variables: { ALDEA_URL: 'http://127.0.0.1:1' },
  serviceVariables: { 'ws-proxy': { MOTTO: `it's`, PORT: '8000' }, 'db-sync': {} },
})

test.for<[string, CommandContext['options'], string]>([
  ['the environment', {}, `export ALDEA_URL='http://127.0.0.1:1'\n`],
  ['a service', { service: 'ws-proxy' }, `export MOTTO='it'\\''s'\nexport PORT='8000'\n`],
  ['dotenv', { service: 'ws-proxy', dotenv: true }, `MOTTO=it's\nPORT=8000\n`],
  ['JSON', { service: 'ws-proxy', json: true }, `{\n  "MOTTO": "it's",\n  "PORT": "8000"\n}\n`],
])('env prints the variables of %s', async ([, options, text], { expect, onTestFinished }) => {
  expect(await say(options, { onTestFinished })).toBe(text)
})

test('env knows the services there are', async ({ expect, onTestFinished }) => {
  await expect(say({ service: 'proxy' }, { onTestFinished })).rejects.toMatchObject({
    code: 'ALDEA_USAGE',
    message: 'There is no service proxy.',
    hint: 'Known: ws-proxy, db-sync.',
  })
})

async function say(
  options: CommandContext['options'],
  { onTestFinished }: Pick<TestContext, 'onTestFinished'>,
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'aldea-env-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const state = await openStateDir({ baseDir: folder, name: 'default' })
  onTestFinished(() => state.release())
  await state.writeRegistry(RUNNING)
  const written = testTerminal()
  const settings = loadSettings({ ALDEA_STATE_DIR: folder }, folder)
  await run({ args: [], options, settings, terminal: written.terminal, clock: systemClock })
  return written.out
}
