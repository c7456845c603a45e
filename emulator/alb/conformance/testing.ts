import { type RequestListener, createServer } from 'node:http'
import { type Socket, createServer as createNetServer } from 'node:net'
import { on, once } from 'node:events'
import type { LoadBalancerAttributes } from '../model.ts'
import {
  type TestBalancer,
  type TestNetworkTarget,
  createTarget,
  register,
  startNetworkTarget,
  startTestBalancer,
} from '../../tests/test-balancer.ts'

export type OnTestFinished = (cleanUp: () => void | Promise<void>) => void

/** What a line of the checklist is shown with, where it is not about connections to the target. */
export const TARGET_KINDS = ['in-process', 'network'] as const
export type TargetKind = (typeof TARGET_KINDS)[number]

/** A balancer before one target `one`, whose answers are `answer`'s; health checks it answers itself. */
export async function startBefore(
  kind: TargetKind,
  answer: RequestListener,
  { onTestFinished, attributes }: { onTestFinished: OnTestFinished; attributes?: LoadBalancerAttributes },
): Promise<TestBalancer> {
  const started = await startTestBalancer({ onTestFinished, ...(attributes && { attributes }) })
  if (kind === 'in-process') {
    await register(started.balancer, 'web', [createTarget('one', answer)])
    return started
  }
  const server = createServer(
    { keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0, maxHeaderSize: 128 * 1024 },
    (request, response) => {
      if (request.url === '/health') response.end('ok')
      else answer(request, response)
    },
  )
  await register(started.balancer, 'web', [await startNetworkTarget('one', server, onTestFinished)])
  return started
}

export interface RawTarget {
  readonly started: TestBalancer
  readonly target: TestNetworkTarget
}

/** A balancer before a target whose every byte `serve` decides, once it is past its health check. */
export async function startBeforeRaw(
  serve: (socket: Socket, head: string) => void,
  options: { onTestFinished: OnTestFinished; attributes?: LoadBalancerAttributes },
): Promise<RawTarget> {
  const { onTestFinished, attributes } = options
  const started = await startTestBalancer({ onTestFinished, ...(attributes && { attributes }) })
  const server = createNetServer((socket) => {
    socket.on('error', () => undefined)
    socket.on('data', (chunk: Buffer) => {
      const head = chunk.toString('latin1')
      if (head.startsWith('GET /health '))
        socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
      else serve(socket, head)
    })
  })
  const target = await startNetworkTarget('one', server, onTestFinished)
  await register(started.balancer, 'web', [target])
  return { started, target }
}

/** All that comes until the other side ends. */
export async function readAll(socket: Socket): Promise<string> {
  let received = ''
  socket.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')))
  if (!socket.closed) await once(socket, 'close')
  return received
}

/** What comes, until it holds `end`; the listener stays, so that nothing is lost between two calls. */
export function createReader(socket: Socket): { until(end: string): Promise<string> } {
  const chunks = on(socket, 'data', { close: ['end', 'close'] })
  let held = ''
  return {
    async until(end) {
      while (!held.includes(end)) {
        const { value, done } = (await chunks.next()) as IteratorResult<[Buffer], undefined>
        if (done) throw new Error(`The connection ended after ${JSON.stringify(held)}.`)
        held += value[0].toString('latin1')
      }
      const stop = held.indexOf(end) + end.length
      const read = held.slice(0, stop)
      held = held.slice(stop)
      return read
    },
  }
}

/** The balancer's own page for a title. */
export function pageOf(title: string): string {
  const lines = ['<html>', `<head><title>${title}</title></head>`, '<body>', `<center><h1>${title}</h1></center>`]
  return [...lines, '</body>', '</html>', ''].join('\r\n')
}
