import { createServer, type AddressInfo } from 'node:net'
import { test, type TestContext } from 'vitest'
import { findPortHolder, freePort, portTaken } from './ports.ts'

test('whoever listens on a port is found by pid and command', async ({ expect, onTestFinished }) => {
  const port = await listening('127.0.0.1', onTestFinished)
  expect(await findPortHolder(port)).toMatchObject({ pid: process.pid, command: expect.stringMatching(/\S/) })
})

test('a listener on IPv6 is found too', async ({ expect, onTestFinished }) => {
  const port = await listening('::', onTestFinished)
  expect(await findPortHolder(port)).toMatchObject({ pid: process.pid })
})

test('nobody holds a free port', async ({ expect }) => {
  expect(await findPortHolder(await freePort())).toBeUndefined()
})

test('the error names the port, the holder and what to do', ({ expect }) => {
  const error = portTaken(8080, { pid: 7, command: 'nginx -g daemon' })
  expect(error).toMatchObject({ code: 'ALDEA_PORT_TAKEN', hint: expect.stringContaining('--port') })
  expect(error.message).toBe('Port 8080 is already used by nginx -g daemon (pid 7).')
  expect(portTaken(8080, undefined).message).toBe('Port 8080 is already used.')
})

async function listening(host: string, onTestFinished: TestContext['onTestFinished']): Promise<number> {
  const server = createServer()
  onTestFinished(() => void server.close())
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  return (server.address() as AddressInfo).port
}
