import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'vitest'
import { silentLog } from '../../services/wire/log.ts'
import { startServerProcess, type ServerProgram } from './server-process.ts'

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
