import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'vitest'
import { systemClock } from '../../../services/wire/clock.ts'
import type { RequestExplanation } from '../../alb/explain/explain-request.ts'
import { loadSettings } from '../../config/settings.ts'
import type { CommandContext } from '../command.ts'
import { run } from './route.ts'
import { testTerminal } from '../../tests/test-terminal.ts'

type Options = CommandContext['options']

/** What the command prints in a folder where nothing runs. */
async function route(
  args: readonly string[],
  options: Options,
  onTestFinished: TestContext['onTestFinished'],
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'aldea-route-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const written = testTerminal()
  const about = { stage: 'prod', profile: 'ecs-b', ...options }
  await run({
    args,
    options: about,
    settings: loadSettings({}, folder),
    terminal: written.terminal,
    clock: systemClock,
  })
  return written.out
}

test('without an environment the rules of the system say where a request would go, and why not elsewhere', async ({
  expect,
  onTestFinished,
}) => {
  const text = await route(['GET', 'http://api.aldea.ai/v1/listen?model=x'], {}, onTestFinished)

  expect(text).toContain(
    'rule 20 failed: host-header backend.localhost or backend.aldea.ai does not hold for "api.aldea.ai"',
  )
  expect(text).toContain('rule 100 failed: http-header Upgrade websocket does not hold for ""')
  expect(text).toContain('rule 200 matched: forward to transcribe\n  rule 300 not reached')
  expect(text).toContain('+x-forwarded-proto: http')
  expect(text).toContain('No environment is running')
})

test('headers count, and a socket brings those of its handshake', async ({ expect, onTestFinished }) => {
  const actionOf = async (url: string, header?: readonly string[]): Promise<string> => {
    const options = { json: true, ...(header && { header }) }
    return (JSON.parse(await route(['get', url], options, onTestFinished)) as RequestExplanation).action
  }
  expect(await actionOf('/v1/listen')).toBe('forward to transcribe')
  expect(await actionOf('/v1/listen', ['Upgrade: websocket'])).toBe('forward to ws-proxy')
  expect(await actionOf('wss://api.localhost/v1/listen')).toBe('forward to ws-proxy')
  expect(await actionOf('/plans', ['X-Other: 1', 'Host: backend.localhost'])).toBe('forward to backend')
})

test.for<[string, string[], Options]>([
  ['"http://" is no URL.', ['GET', 'http://'], {}],
  ['"G T" is no method.', ['G T', '/'], {}],
  ['"nothing" is no header.', ['GET', '/'], { header: ['nothing'] }],
])('%s', async ([message, args, options], { expect, onTestFinished }) => {
  await expect(route(args, options, onTestFinished)).rejects.toMatchObject({ code: 'ALDEA_USAGE', message })
})
