import { once } from 'node:events'
import { type AddressInfo, connect, createServer, Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { test } from 'vitest'
import { sharingReads } from './shared-reads.ts'

test('connections share the memory they read into, and end as any other', async ({ expect, onTestFinished }) => {
  const memory: ArrayBufferLike[] = []
  const server = createServer({ allowHalfOpen: true }, (accepted) => {
    const socket = sharingReads(accepted)
    socket.on('data', (chunk) => {
      memory.push(chunk.buffer)
      socket.write(chunk.toString().toUpperCase())
    })
    socket.on('end', () => socket.end('.'))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  const answers = ['one', 'two', 'three'].map((word) => text(connect({ port, allowHalfOpen: true }).end(word)))
  expect(await Promise.all(answers)).toEqual(['ONE.', 'TWO.', 'THREE.'])
  expect(new Set(memory).size).toBe(1)
  // No connection is left to wait for.
  await once(server.close(), 'close')
})

test('a socket without a handle of that kind reads as ever', ({ expect, onTestFinished }) => {
  const socket = new Socket()
  onTestFinished(() => void socket.destroy())
  expect(sharingReads(socket)).toBe(socket)
})
