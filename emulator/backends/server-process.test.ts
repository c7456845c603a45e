import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'vitest'
import { silentLog } from '../../services/wire/log.ts'
import { startServerProcess, type ServerProgram } from './server-process.ts'
import { waitBefore } from './supervisor.ts'
import { connectError, notingWatch } from './testing.ts'

const SERVER = `
  const port = Number(process.argv[1])
  require('node:net').createServer().listen(port, '127.0.0.1', () => console.log('ready'))`

test('a port that somebody else was quicker to take is given up for another one', async ({
  expect,
  onTestFinished,
}) => {
  const taken = await listening(onTestFinished)
  const tried: number[] = []
  const program = await programOf(SERVER, onTestFinished, (port) => {
    tried.push(port)
    return tried.length <= 2 ? taken : port
  })
  const server = await startServerProcess(program)
  onTestFinished(() => server.stop())
  expect(tried).toHaveLength(3)
  expect(server.port).toBe(tried[2])
})

test('five taken ports in a row are something else', async ({ expect, onTestFinished }) => {
  const taken = await listening(onTestFinished)
  let tries = 0
  const program = await programOf(SERVER, onTestFinished, () => {
    tries += 1
    return taken
  })
  await expect(startServerProcess(program)).rejects.toMatchObject({ code: 'ALDEA_BACKEND_UNHEALTHY' })
  expect(tries).toBe(5)
})

test('any other failure is told at once with the last line', async ({ expect, onTestFinished }) => {
  let tries = 0
  const program = await programOf(`console.error('no such key'); process.exit(3)`, onTestFinished, (port) => {
    tries += 1
    return port
  })
  const start = startServerProcess(program)
  await expect(start).rejects.toThrow('test ended with exit code 3, last line: no such key.')
  expect(tries).toBe(1)
})

test('a server that is killed comes back on the same port, each time, until it is stopped', async ({
  expect,
  onTestFinished,
}) => {
  const { heard, watch } = notingWatch()
  let prepared = 0
  const program = {
    ...(await programOf(SERVER, onTestFinished, (port) => port)),
    watch,
    prepare: async () => void (prepared += 1),
  }
  const server = await startServerProcess(program)
  onTestFinished(() => server.stop())
  for (const time of [1, 2]) {
    server.kill()
    server.kill()
    await expect.poll(() => heard.length).toBe(2 * time)
    expect(await connectError('127.0.0.1', server.port)).toBeUndefined()
  }
  expect(heard).toEqual(['test ended with SIGKILL.', 'restored', 'test ended with SIGKILL.', 'restored'])
  expect(prepared).toBe(2)

  await server.stop()
  server.kill()
  expect(await connectError('127.0.0.1', server.port)).toBe('ECONNREFUSED')
  expect(heard).toHaveLength(4)
})

test('the record for the reaper is that of the server which runs now', async ({ expect, onTestFinished }) => {
  let isRestored = false
  const watch = { lost: () => undefined, restored: () => (isRestored = true) }
  const program = { ...(await programOf(SERVER, onTestFinished, (port) => port)), watch }
  const record = join(program.child(0).recordDir, 'child.json')
  const server = await startServerProcess(program)
  onTestFinished(() => server.stop())
  const before: unknown = JSON.parse(await readFile(record, 'utf8'))
  server.kill()
  await expect.poll(() => isRestored).toBe(true)
  const after: unknown = JSON.parse(await readFile(record, 'utf8'))
  expect(after).toMatchObject({ port: server.port })
  expect(after).not.toEqual(before)
  await server.stop()
  await expect(readFile(record)).rejects.toMatchObject({ code: 'ENOENT' })
})

test('stopping ends the wait of a server that keeps dying', async ({ expect, onTestFinished }) => {
  const lost: string[] = []
  const watch = { lost: (reason: string) => lost.push(reason), restored: () => undefined }
  const script = `console.log('ready'); setTimeout(() => process.exit(4), 20)`
  const server = await startServerProcess({ ...(await programOf(script, onTestFinished, (port) => port)), watch })
  await expect.poll(() => lost.length, { timeout: 10_000 }).toBeGreaterThanOrEqual(3)
  await server.stop()
  expect(new Set(lost)).toEqual(new Set(['test ended with exit code 4.']))
})

test('a server that keeps dying is waited for longer and longer, up to five seconds', ({ expect }) => {
  expect([1, 2, 3, 4, 8, 20].map(waitBefore)).toEqual([0, 100, 200, 400, 5_000, 5_000])
})

async function programOf(
  script: string,
  onTestFinished: TestContext['onTestFinished'],
  portToUse: (port: number) => number,
): Promise<ServerProgram> {
  const folder = await mkdtemp(join(tmpdir(), 'aldea-server-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  return {
    service: 'test',
    port: 0,
    child: (port) => ({
      command: process.execPath,
      args: ['--eval', script, String(portToUse(port))],
      stopSignals: ['SIGTERM'],
      recordDir: folder,
      dataDir: folder,
    }),
    ready: /^ready/,
    taken: /EADDRINUSE/,
    log: silentLog,
  }
}

async function listening(onTestFinished: TestContext['onTestFinished']): Promise<number> {
  const server = createServer()
  onTestFinished(() => void server.close())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}
