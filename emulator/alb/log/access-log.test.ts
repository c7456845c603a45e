import { mkdtemp, readFile, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, expect as expectNow, test } from 'vitest'
import { systemIds } from '../../../services/wire/ids.ts'
import { START_MS, createTarget, get, register, startTestBalancer } from '../../tests/test-balancer.ts'
import { createAwsNames } from '../names.ts'
import { startAccessLog } from './access-log.ts'
import type { LogLimits } from './log-file.ts'

const names = createAwsNames({ name: 'test', region: 'us-west-2', accountId: '000000000000' })

async function tempFolder(onTestFinished: TestContext['onTestFinished']): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'aldea-log-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

async function startLogged(onTestFinished: TestContext['onTestFinished'], limits?: LogLimits) {
  const folder = join(await tempFolder(onTestFinished), 'access-log')
  const balancer = await startTestBalancer({ onTestFinished })
  await register(balancer.balancer, 'web', [createTarget('one', (_, response) => response.end('ok'))])
  const failures: unknown[] = []
  const log = startAccessLog({
    folder,
    names,
    address: '127.0.0.1',
    ids: systemIds,
    events: balancer.events,
    failed: (error) => failures.push(error),
    ...(limits && { limits }),
  })
  /** A request whose line is on its way to the file: it is written when the answer has left, after the client has it. */
  const ask = async (path: string, headers?: Record<string, string>): Promise<void> => {
    const before = balancer.events.of('alb.access').length
    await get(balancer.port, path, headers)
    await expectNow.poll(() => balancer.events.of('alb.access').length).toBe(before + 1)
  }
  return { ...balancer, folder, log, failures, ask }
}

test('requests leave a line each in a file named as AWS names it, which only its owner reads', async ({
  expect,
  onTestFinished,
}) => {
  const { port, folder, log, ask } = await startLogged(onTestFinished)
  await ask('/first?key=secret', { host: 'api.localhost' })
  await ask('/second')
  await log.stop()

  const [file = '', ...others] = await readdir(folder)
  expect(others).toEqual([])
  expect(file).toMatch(
    /^000000000000_elasticloadbalancing_us-west-2_app\.test\.[0-9a-f]{16}_20250101T0005Z_127\.0\.0\.1_[0-9a-f]{8}\.log$/,
  )
  expect((await stat(join(folder, file))).mode & 0o777).toBe(0o600)
  const lines = (await readFile(join(folder, file), 'utf8')).split('\n')
  expect(lines).toHaveLength(3)
  expect(lines[0]).toContain(`"GET http://api.localhost:${port}/first?key=secret HTTP/1.1"`)
  expect(lines[0]).toMatch(/^http 2025-01-01T00:00:00\.000000Z app\/test\/[0-9a-f]{16} 127\.0\.0\.1:\d+ one:0 /)
  expect(lines[1]).toContain('/second ')
})

test('another file begins after five minutes', async ({ expect, onTestFinished }) => {
  const { folder, log, clock, ask } = await startLogged(onTestFinished)
  await ask('/first')
  await clock.advance(5 * 60_000)
  await ask('/second')
  await log.stop()

  const ends = (await readdir(folder)).map((name) => /_(\d{8}T\d{4}Z)_/.exec(name)?.[1])
  expect(new Set(ends)).toEqual(new Set(['20250101T0005Z', '20250101T0010Z']))
  expect(clock.now()).toBe(START_MS + 5 * 60_000)
})

test('no more is kept than the limits say, and the oldest files go', async ({ expect, onTestFinished }) => {
  const { folder, log, clock, ask } = await startLogged(onTestFinished, { fileBytes: 1, files: 2 })
  for (const path of ['/1', '/2', '/3', '/4']) {
    await ask(path)
    await clock.advance(5 * 60_000)
  }
  await log.stop()

  const files = await readdir(folder)
  const texts = await Promise.all(files.map((name) => readFile(join(folder, name), 'utf8')))
  expect(new Set(texts.map((text) => /\/\d(?= HTTP)/.exec(text)?.[0]))).toEqual(new Set(['/3', '/4']))
})

test('a folder that cannot be made ends the log, is told once and harms no request', async ({
  expect,
  onTestFinished,
}) => {
  const { port, events } = await startTestBalancer({ onTestFinished })
  const failures: unknown[] = []
  const log = startAccessLog({
    folder: '/dev/null/access-log',
    names,
    address: '127.0.0.1',
    ids: systemIds,
    events,
    failed: (error) => failures.push(error),
  })
  const answers = [await get(port, '/one'), await get(port, '/two')]
  await log.stop()

  expect(answers.map(({ status }) => status)).toEqual([503, 503])
  expect(failures).toHaveLength(1)
})
