import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { test, vi } from 'vitest'
import { fixturePath } from '../../../fixtures/fixture-path.ts'
import { MAIN, endOf, runCommand, spawnCommand, temporaryFolder } from './command.ts'

const EXEC = ['exec', '--engine', 'scripted', '--backends', 'embedded', '--']

test('exec gives a program a system of its own, and ends with its exit code', async ({ expect, onTestFinished }) => {
  const folder = await temporaryFolder(onTestFinished)
  vi.stubEnv('TMPDIR', folder)
  onTestFinished(() => void vi.unstubAllEnvs())
  const program = `
    import { readFileSync } from 'node:fs'
    const { ALDEA_URL, ALDEA_KEY } = process.env
    const [file, ...rest] = process.argv.slice(1)
    const headers = { authorization: 'Bearer ' + ALDEA_KEY }
    const answer = await fetch(ALDEA_URL + '/v1/listen', { method: 'POST', headers, body: readFileSync(file) })
    console.log(answer.status, ...rest)
    process.exitCode = 7`

  const args = ['--input-type', 'module', '--eval', program, '--', fixturePath('audio', 'jfk.wav'), '--port', 'x y']
  const { exitCode, stdout, stderr } = await runCommand([...EXEC, process.execPath, ...args], folder)

  expect(stderr).toBe('')
  expect(stdout).toBe('200 --port x y\n')
  expect(exitCode).toBe(7)
  expect((await readdir(folder)).filter((name) => name.startsWith('aldea-') || name === '.aldea')).toEqual([])
})

test('within exec our own commands find its system', async ({ expect, onTestFinished }) => {
  const folder = await temporaryFolder(onTestFinished)
  const command = [process.execPath, MAIN, 'env', '--service', 'ws-proxy']
  const { exitCode, stdout, stderr } = await runCommand([...EXEC, ...command], folder)
  expect(stderr).toBe('')
  expect(stdout).toMatch(/^export STT_SERVERS='stt-api-live-1=http:/m)
  expect(exitCode).toBe(0)
})

test('exec ends as its program does, by a signal too', async ({ expect, onTestFinished }) => {
  const folder = await temporaryFolder(onTestFinished)
  const program = `process.on('SIGTERM', () => { console.log('asked'); process.exit(9) }); console.log('there'); setInterval(() => {}, 1000)`
  const child = spawnCommand([...EXEC, process.execPath, '--eval', program], folder)
  const ended = endOf(child)
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
  })
  let said = ''
  child.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString()))

  if (child.stdout) await once(child.stdout, 'data')
  child.kill('SIGTERM')

  expect(await ended).toBe(9)
  expect(said).toBe('there\nasked\n')
})

test.for<[string, readonly string[], number, string]>([
  ['a program that does not exist', ['no-such-program'], 127, 'no-such-program cannot be started'],
  ['a program that a signal ends', [process.execPath, '--eval', 'process.kill(process.pid, "SIGKILL")'], 137, ''],
  ['no program', [], 2, "missing required argument 'command'"],
])('exec of %s', async ([, program, exitCode, text], { expect, onTestFinished }) => {
  const folder = await temporaryFolder(onTestFinished)

  const finished = await runCommand([...EXEC, ...program], folder)

  expect(finished.exitCode).toBe(exitCode)
  expect(finished.stderr).toContain(text)
})
