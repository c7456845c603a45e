import { EventEmitter, once } from 'node:events'
import { createServer, request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'vitest'
import { readBody } from './read-body.ts'

test('a client is read no further than there is room', async ({ expect, onTestFinished }) => {
  const asked: number[] = []
  const gate = new EventEmitter()
  const server = createServer((request, response) => {
    const hold = async (bytes: number): Promise<void> => {
      asked.push(bytes)
      if (asked.length > 1) return
      gate.emit('asked')
      await once(gate, 'open')
    }
    void readBody(request, 10_000_000, { hold }).then((body) => response.end(String(body.length)))
  })
  onTestFinished(() => void server.close())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const request = httpRequest({ port, method: 'POST' })
  request.end(Buffer.alloc(5_000_000))
  await once(gate, 'asked')

  expect(asked).toHaveLength(1)
  gate.emit('open')

  const [response] = await once(request, 'response')
  expect(String(await response.toArray())).toBe('5000000')
  expect(asked.reduce((sum, bytes) => sum + bytes, 0)).toBe(5_000_000)
})
