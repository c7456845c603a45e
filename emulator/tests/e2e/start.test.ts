import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Pool } from 'pg'
import { test } from 'vitest'
import { fixturePath } from '../../../fixtures/fixture-path.ts'
import { runCommand, startCommand, temporaryFolder } from './command.ts'

const shell = promisify(execFile)

test('the printed curl returns the sentence and its seconds are billed', async ({ expect, onTestFinished }) => {
  const folder = await temporaryFolder(onTestFinished)
  const { ready } = await startCommand([], folder, onTestFinished)

  const { stdout } = await shell('sh', ['-c', `${ready.curl} -sS`])
  const pool = new Pool({ connectionString: ready.backends['postgres'] })
  onTestFinished(() => pool.end())
  const billed = async (): Promise<unknown> => {
    const { rows } = await pool.query('SELECT path, round(seconds)::integer AS seconds FROM usage_ledger')
    return rows
  }

  expect(JSON.parse(stdout)).toMatchObject({
    metadata: { duration: 11 },
    results: {
      channels: [{ alternatives: [{ transcript: expect.stringMatching(/ask not what your country can do/i) }] }],
    },
  })
  await expect.poll(billed, { timeout: 10_000 }).toEqual([{ path: '/v1/listen', seconds: 11 }])
})

test.for([
  ['prod', 'api.aldea.ai'],
  ['staging', 'st-api.aldea.ai'],
  ['dev', 'dev-api.aldea.ai'],
])('stage %s starts and answers by its host name %s', async ([stage = '', host = ''], { expect, onTestFinished }) => {
  const folder = await temporaryFolder(onTestFinished)
  const { ready } = await startCommand(['--stage', stage, '--engine', 'scripted'], folder, onTestFinished)

  const { stdout } = await shell('sh', ['-c', `${ready.curl} -sS -H 'Host: ${host}'`])

  expect(ready.hosts.map(({ name }) => name)).toContain(host)
  expect(ready.profile).toBe('ecs-b')
  expect(JSON.parse(stdout)).toMatchObject({ metadata: { duration: 11 } })
})

test('transcribe and listen print the words of the running environment', async ({ expect, onTestFinished }) => {
  const folder = await temporaryFolder(onTestFinished)
  const { ready } = await startCommand([], folder, onTestFinished)
  const clip = /@(\S+)/.exec(ready.curl)?.[1] ?? ''

  const transcribed = await runCommand(['transcribe', clip], folder)
  const listened = await runCommand(['listen', clip], folder)
  const compressed = await runCommand(['listen', fixturePath('audio', 'formats/fellow.opus.webm')], folder)

  expect(transcribed).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/fellow Americans/) })
  expect(listened).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/fellow Americans/) })
  expect(compressed).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/fellow Americans/) })
})

test('a created key works until it is revoked', async ({ expect, onTestFinished }) => {
  const folder = await temporaryFolder(onTestFinished)
  const { ready } = await startCommand(['--engine', 'scripted'], folder, onTestFinished)
  const clip = /@(\S+)/.exec(ready.curl)?.[1] ?? ''

  const created = await runCommand(['keys', 'create'], folder)
  const key = created.stdout.trim()
  const id = /id (\S+);/.exec(created.stderr)?.[1] ?? ''
  const accepted = await runCommand(['transcribe', clip, '--key', key], folder)
  const listed = await runCommand(['keys', 'list'], folder)
  const revoked = await runCommand(['keys', 'revoke', id], folder)
  const refused = await runCommand(['transcribe', clip, '--key', key], folder)

  expect([created.exitCode, accepted.exitCode, listed.exitCode, revoked.exitCode]).toEqual([0, 0, 0, 0])
  expect(key).toMatch(/^org_/)
  expect(listed.stdout).toContain(id)
  expect(refused.exitCode).toBe(5)
  expect(refused.stderr).toContain('401')
})

test('SIGINT ends everything with the exit code of the signal', async ({ expect, onTestFinished }) => {
  const folder = await temporaryFolder(onTestFinished)
  const { child, ended, ready } = await startCommand(['--engine', 'scripted'], folder, onTestFinished)

  child.kill('SIGINT')

  expect(await ended).toBe(130)
  await expect(fetch(ready.url)).rejects.toThrow('fetch failed')
})

test('a second SIGINT ends a busy environment at once and without a word', async ({ expect, onTestFinished }) => {
  const folder = await temporaryFolder(onTestFinished)
  const { child, ended, ready } = await startCommand([], folder, onTestFinished)
  const said: string[] = []
  child.stderr?.on('data', (text: Buffer) => said.push(String(text)))
  const clip = await readFile(/@(\S+)/.exec(ready.curl)?.[1] ?? '')
  const headers = { authorization: `Bearer ${ready.key}` }
  const transcripts = Array.from({ length: 8 }, () =>
    fetch(`${ready.url}/v1/listen`, { method: 'POST', headers, body: clip }),
  )
  const cutOff = Promise.allSettled(transcripts)
  await Promise.race(transcripts)

  child.kill('SIGINT')
  await sleep(20)
  child.kill('SIGINT')

  expect(await ended).toBe('SIGINT')
  expect(said.join('')).toBe('')
  await cutOff
})

test('a taken port is an error that names its holder, with exit code 3', async ({ expect, onTestFinished }) => {
  const folder = await temporaryFolder(onTestFinished)
  const holder = createServer().listen(0, '127.0.0.1')
  onTestFinished(() => new Promise((resolve) => holder.close(() => resolve())))
  await new Promise((resolve) => holder.once('listening', resolve))
  const address = holder.address()
  const port = typeof address === 'object' && address ? address.port : 0

  const { exitCode, stderr } = await runCommand(['start', '--port', String(port)], folder)

  expect(exitCode).toBe(3)
  expect(stderr).toContain(`Port ${port} is already used`)
  expect(stderr).toContain(`pid ${process.pid}`)
})

test('a second start in one folder names the first', async ({ expect, onTestFinished }) => {
  const folder = await temporaryFolder(onTestFinished)
  const { child } = await startCommand(['--engine', 'scripted'], folder, onTestFinished)

  const { exitCode, stderr } = await runCommand(['start', '--port', 'auto'], folder)

  expect(exitCode).toBe(3)
  expect(stderr).toContain(`pid ${child.pid}`)
})

test.for([
  [['start', '--stage', 'production'], 2, 'Known: prod, staging, dev'],
  [['start', '--prot', '80'], 2, 'unknown option'],
  [['transcribe', 'x.wav'], 4, 'npx aldea-local start'],
  [['transcribe'], 2, 'missing required argument'],
] satisfies [string[], number, string][])(
  '%j ends with exit code %i',
  async ([args, code, text], { expect, onTestFinished }) => {
    const { exitCode, stderr } = await runCommand(args, await temporaryFolder(onTestFinished))

    expect(exitCode).toBe(code)
    expect(stderr).toContain(text)
  },
)
