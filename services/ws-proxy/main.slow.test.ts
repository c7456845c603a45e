import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'
import { test } from 'vitest'
import { addKey, startRedis, usageIn } from '../account/testing.ts'
import { startScripted, tone } from '../stt/testing.ts'
import { connectClient, say } from './testing.ts'

const ROOT = join(import.meta.dirname, '../..')

test('ws-proxy runs alone, from environment variables, without a module of the emulator', async ({
  expect,
  onTestFinished,
}) => {
  const redis = await startRedis(onTestFinished)
  await addKey(redis)
  const speech = await startScripted(onTestFinished)
  const coverageDir = await mkdtemp(join(tmpdir(), 'ws-proxy-modules-'))
  onTestFinished(() => rm(coverageDir, { recursive: true }))
  const proxy = spawn(process.execPath, ['--import', 'tsx', join(import.meta.dirname, 'main.ts')], {
    cwd: ROOT,
    env: {
      PATH: process.env['PATH'],
      PORT: '0',
      REDIS_URL: redis.url,
      STT_SERVERS: `one=${speech.url}`,
      NODE_V8_COVERAGE: coverageDir,
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  onTestFinished(() => void proxy.kill('SIGKILL'))

  const client = await connectClient(onTestFinished, `ws://127.0.0.1:${await portOf(proxy)}/v1/listen`)
  client.socket.send(tone(0.64))
  client.socket.send(say('CloseStream'))
  const { code } = await client.closed
  proxy.kill('SIGTERM')
  const [exitCode] = (await once(proxy, 'exit')) as [number | null]

  expect([code, exitCode]).toEqual([1000, 0])
  expect(await usageIn(redis)).toMatchObject([{ kind: 'stream', seconds: '0.64' }])
  const modules = await modulesIn(coverageDir)
  expect(modules).toContain('services/ws-proxy/service.ts')
  expect(modules.filter((path) => !path.startsWith('services/'))).toEqual([])
})

test('it says what is wrong with its variables and leaves', async ({ expect }) => {
  const proxy = spawn(process.execPath, ['--import', 'tsx', join(import.meta.dirname, 'main.ts')], {
    cwd: ROOT,
    env: { PATH: process.env['PATH'], COMPAT: 'whisper' },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const lines: string[] = []
  for await (const line of createInterface({ input: proxy.stderr })) lines.push(line)

  expect(proxy.exitCode).not.toBe(0)
  expect(lines.join('\n')).toContain(
    'Environment variables are wrong: REDIS_URL is missing; STT_SERVERS is missing; COMPAT must be aldea or deepgram.',
  )
})

/** Where it says that it listens. */
async function portOf({ stderr }: ChildProcess): Promise<number> {
  if (!stderr) throw new Error('Its log is not read.')
  for await (const line of createInterface({ input: stderr })) {
    const entry = JSON.parse(line) as { msg: string; address?: { port: number } }
    if (entry.msg === 'listening' && entry.address) return entry.address.port
  }
  throw new Error('It ended before it listened.')
}

/** Modules of this repository that a process loaded: the engine itself lists them when it measures coverage. */
async function modulesIn(coverageDir: string): Promise<string[]> {
  const root = pathToFileURL(`${ROOT}/`).href
  const reports = await Promise.all(
    (await readdir(coverageDir)).map((name) => readFile(join(coverageDir, name), 'utf8')),
  )
  const urls = reports.flatMap((report) =>
    (JSON.parse(report) as { result: { url: string }[] }).result.map(({ url }) => url.split('?', 1)[0] ?? url),
  )
  const own = urls.filter((url) => url.startsWith(root) && !url.includes('/node_modules/'))
  return own.map((url) => url.slice(root.length))
}
