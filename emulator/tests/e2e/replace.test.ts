import { spawn, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { Client } from 'pg'
import { test, vi } from 'vitest'
import { fixturePath } from '../../../fixtures/fixture-path.ts'
import { packageRoot } from '../../../services/wire/package-root.ts'
import { freePort } from '../../core/ports.ts'
import { endOf, runCommand, startCommand, temporaryFolder } from './command.ts'

type Variables = Readonly<Record<string, string>>

test('programs of the user take the places of services, with what env --service prints', async (context) => {
  const { expect, onTestFinished } = context
  const folder = await temporaryFolder(onTestFinished)
  const port = await freePort()
  const replace = ['--replace', `ws-proxy=http://127.0.0.1:${port}`, '--replace', 'db-sync']
  const { child, ready, ended } = await startCommand(['--engine', 'scripted', ...replace], folder, onTestFinished)
  const variablesOf = async (...args: readonly string[]): Promise<Variables> =>
    JSON.parse((await runCommand(['env', '--json', ...args], folder)).stdout) as Variables
  const listen = (): ReturnType<typeof runCommand> => runCommand(['listen', fixturePath('audio', 'jfk.wav')], folder)
  const run = (service: string, variables: Variables): ChildProcess => {
    const main = join(packageRoot, 'dist', 'services', service, 'main.js')
    // What it has is what was printed, and nothing of what surrounds the tests.
    const program = spawn(process.execPath, [main], { env: variables, stdio: 'ignore' })
    onTestFinished(() => void program.kill('SIGKILL'))
    return program
  }

  expect(await listen()).toMatchObject({ exitCode: 5, stderr: expect.stringContaining('502') })

  const proxy = run('ws-proxy', await variablesOf('--service', 'ws-proxy'))
  await vi.waitUntil(async () => (await fetch(`http://127.0.0.1:${port}/health`).catch(() => undefined))?.ok, 10_000)
  expect(await listen()).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/^This text was written down beforehand\./),
  })

  const dotenv = await runCommand(['env', '--service', 'ws-proxy', '--dotenv'], folder)
  expect(dotenv.stdout).toMatch(new RegExp(`^PORT=${port}$`, 'm'))

  const { DATABASE_URL, REDIS_URL = '' } = await variablesOf()
  const database = new Client(DATABASE_URL)
  await database.connect()
  const redis = new Redis(REDIS_URL)
  onTestFinished(() => redis.disconnect())
  await database.query('UPDATE limits SET max_connections = 7')
  await database.end()
  const connections = (): Promise<string | null> => redis.hget('org:demo:limits', 'max_connections')
  expect(await connections()).not.toBe('7')
  run('db-sync', await variablesOf('--service', 'db-sync'))
  await vi.waitUntil(async () => (await connections()) === '7', 10_000)

  proxy.kill('SIGTERM')
  expect(await endOf(proxy)).toBe(0)
  child.kill('SIGTERM')
  expect(await ended).toBe(143)
  expect(ready.backends['redis']).toBe(REDIS_URL)
})

test.for<[string, readonly string[], string]>([
  ['an unknown service', ['start', '--replace', 'proxy=http://127.0.0.1:1'], 'There is no service proxy.'],
  [
    'no address',
    ['exec', '--replace', 'ws-proxy', '--', 'true'],
    'ws-proxy is called over HTTP: its address is missing.',
  ],
])(
  'what cannot be replaced is refused before anything starts: %s',
  async ([, args, message], { expect, onTestFinished }) => {
    const folder = await temporaryFolder(onTestFinished)
    const { exitCode, stderr } = await runCommand(args, folder)
    expect(exitCode).toBe(2)
    expect(stderr).toContain(message)
  },
)
