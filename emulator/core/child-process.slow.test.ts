import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, test, type TestContext } from 'vitest'
import { spawnChild, type Child, type ChildOptions } from './child-process.ts'
import { identify, isGoneWithin } from './processes.ts'
import { chooseTether, tetherCommand, type Tether } from './tether.ts'

const best = await chooseTether()
const tethers: readonly Tether[] = best === 'none' ? ['none'] : [...new Set<Tether>([best, 'shim'])]

describe.for(tethers)('on a tether of kind %s', (tether) => {
  test('the pid and the record are those of the program', async ({ expect, onTestFinished }) => {
    const { child, recordDir } = await started({ tether, args: ['-c', 'exec sleep 60'] }, onTestFinished)
    const record = JSON.parse(await readFile(join(recordDir, 'child.json'), 'utf8')) as unknown
    expect(record).toMatchObject({ service: 'test', pid: child.pid, ...(await identify(child.pid)), port: 7 })
  })

  test('lines of both outputs are heard, and the exit code is the program’s own', async ({
    expect,
    onTestFinished,
  }) => {
    const { child, lines, recordDir } = await started(
      { tether, args: ['-c', 'echo out; echo err >&2; exit 7'] },
      onTestFinished,
    )
    expect(await child.exited).toEqual({ code: 7, signal: null })
    expect(lines.toSorted()).toEqual(['err', 'out'])
    await expect(readFile(join(recordDir, 'child.json'))).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('a stop is clean, and over when it resolves', async ({ expect, onTestFinished }) => {
    const { child, lines } = await started({ tether, args: ['-c', CLEAN_STOP] }, onTestFinished)
    await expect.poll(() => lines).toEqual(['up'])
    await Promise.all([child.stop(), child.stop()])
    expect(lines).toEqual(['up', 'cleaning up'])
    expect(await identify(child.pid)).toBeUndefined()
  })

  test.skipIf(tether === 'none')('a SIGKILL of its parent ends it too', async ({ expect, onTestFinished }) => {
    const recordDir = await temporary(onTestFinished)
    const { parent, pid } = await startedByAnother({ tether, recordDir }, onTestFinished)
    const identity = await identify(pid)
    parent.kill('SIGKILL')
    expect(identity && (await isGoneWithin(identity, 5_000))).toBe(true)
  })

  test('a program that does not exist leaves nothing behind', async ({ expect, onTestFinished }) => {
    const recordDir = await temporary(onTestFinished)
    const start = spawnChild({ ...options(recordDir, []), tether, command: '/nowhere/program', args: [] })
    const exit = await start.then(
      (child) => child.exited,
      (error: unknown) => error,
    )
    expect(exit).toMatchObject({ code: tether === 'none' ? 'ENOENT' : 127 })
    await expect(readFile(join(recordDir, 'child.json'))).rejects.toMatchObject({ code: 'ENOENT' })
  })
})

test('a program that will not stop is ended by force', async ({ expect, onTestFinished }) => {
  const { child, lines } = await started({ args: ['-c', `trap '' TERM; echo up; ${FOR_EVER}`] }, onTestFinished)
  await expect.poll(() => lines).toEqual(['up'])
  await child.stop()
  expect(await identify(child.pid)).toBeUndefined()
})

test.runIf(best === 'pdeathsig')('a program whose parent has ended already does not start', async ({ expect }) => {
  const { command, args } = tetherCommand('pdeathsig', ['echo', 'started'], 'SIGTERM')
  // Between us and the program stands a shell: its parent is not the process that wrote the command line.
  const child = spawn('/bin/sh', ['-c', '"$@"; exit $?', 'sh', command, ...args])
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const [code] = (await once(child, 'close')) as [number]
  expect([output, code]).toEqual(['', 1])
})

/** The shell runs its trap between two commands, so each of them is short. */
const FOR_EVER = 'while :; do sleep 0.05; done'
const CLEAN_STOP = `trap 'echo cleaning up; exit 0' TERM; echo up; ${FOR_EVER}`

function options(recordDir: string, lines: string[]): ChildOptions {
  return {
    service: 'test',
    command: '/bin/sh',
    args: [],
    stopSignals: ['SIGTERM'],
    recordDir,
    dataDir: recordDir,
    port: 7,
    onLine: (line) => lines.push(line),
  }
}

async function started(
  given: Partial<ChildOptions>,
  onTestFinished: TestContext['onTestFinished'],
): Promise<{ child: Child; lines: string[]; recordDir: string }> {
  const recordDir = await temporary(onTestFinished)
  const lines: string[] = []
  const child = await spawnChild({ ...options(recordDir, lines), ...given })
  onTestFinished(() => child.stop())
  return { child, lines, recordDir }
}

/** Another Node starts the child, so that it can be killed. */
async function startedByAnother(
  given: { tether: Tether; recordDir: string },
  onTestFinished: TestContext['onTestFinished'],
): Promise<{ parent: ReturnType<typeof spawn>; pid: number }> {
  const childOptions = { ...options(given.recordDir, []), ...given, args: ['-c', CLEAN_STOP] }
  const script = `
    import { spawnChild } from ${JSON.stringify(new URL('./child-process.ts', import.meta.url).href)}
    const child = await spawnChild({ ...${JSON.stringify(childOptions)}, onLine() {} })
    process.stdout.write(child.pid + '\\n')`
  const parent = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void parent.kill('SIGKILL'))
  const [line] = (await once(createInterface({ input: parent.stdout }), 'line')) as [string]
  return { parent, pid: Number(line) }
}

async function temporary(onTestFinished: TestContext['onTestFinished']): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'aldea-child-'))
  onTestFinished(() => rm(path, { recursive: true }))
  return path
}
