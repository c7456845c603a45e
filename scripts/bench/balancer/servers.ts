/** The servers that `npm run bench balancer` measures, one a process: `servers.ts NAME [port of the upstream]`. */
import { once } from 'node:events'
import { type Server, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import Fastify, { type FastifyInstance } from 'fastify'
import { WebSocketServer } from 'ws'
import { type LoadBalancer, startLoadBalancer } from '../../../emulator/alb/load-balancer.ts'
import type { Rule } from '../../../emulator/alb/model.ts'
import { createEventStream } from '../../../emulator/core/events.ts'
import { startService } from '../../../emulator/ecs/service.ts'
import { systemClock } from '../../../services/wire/clock.ts'
import { systemIds } from '../../../services/wire/ids.ts'
import { silentLog } from '../../../services/wire/log.ts'
import { createShared } from '../../../services/wire/shared.ts'
import { sayAddress } from '../../server-process.ts'

const HOST = '127.0.0.1'

/** Rules like those of a real system; the last one matches. */
const rules: readonly Rule[] = [
  hostRule(10, 'platform.localhost'),
  hostRule(20, 'backend.localhost'),
  {
    priority: 100,
    conditions: [
      { field: 'path-pattern', values: ['/listen', '/v1/listen', '/v1/listen/*'] },
      { field: 'http-header', name: 'Upgrade', values: ['websocket'] },
    ],
    action: { type: 'forward', targetGroup: 'other' },
  },
  {
    priority: 200,
    conditions: [{ field: 'path-pattern', values: ['/v1/*'] }],
    action: { type: 'forward', targetGroup: 'app' },
  },
]

function hostRule(priority: number, host: string): Rule {
  return {
    priority,
    conditions: [{ field: 'host-header', values: [host] }],
    action: { type: 'forward', targetGroup: 'other' },
  }
}

const SERVERS = {
  direct: serveDirectly,
  trivial: serveTrivially,
  balancer: serveBehindBalancer,
  network: serveNetwork,
  echo: serveEcho,
  echoBehind: serveEchoBehindBalancer,
} as const
export type ServerName = keyof typeof SERVERS

const [name = '', portText = '0'] = process.argv.slice(2)
if (name in SERVERS) sayAddress(await SERVERS[name as ServerName](Number(portText)))

function createApp(): FastifyInstance {
  const app = Fastify()
  app.get('/health', () => 'ok')
  app.get('/v1/models', () => ({ models: [{ name: 'whisper-tiny.en', version: '1' }] }))
  return app
}

async function serveDirectly(): Promise<string> {
  const app = createApp()
  return `${await app.listen({ host: HOST, port: 0 })}/v1/models`
}

/** As little as Node can do. */
async function serveTrivially(): Promise<string> {
  const server = createServer((_, response) => response.end('ok')).listen(0, HOST)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return `http://${HOST}:${port}/v1/models`
}

/** Sends back what comes over its WebSockets. */
function createEcho(): Server {
  const server = createServer((_, response) => response.end('ok'))
  new WebSocketServer({ server, perMessageDeflate: false }).on('connection', (socket) => {
    socket.on('message', (message, isBinary) => socket.send(message, { binary: isBinary }))
  })
  return server
}

async function serveEcho(): Promise<string> {
  const server = createEcho().listen(0, HOST)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return `http://${HOST}:${port}/v1/models`
}

async function serveEchoBehindBalancer(): Promise<string> {
  const balancer = await startBenchBalancer()
  const gone = new AbortController().signal
  balancer.targetGroup('app').register({ id: 'one', zone: 'a', kind: 'in-process', server: createEcho(), gone })
  return `http://${HOST}:${balancer.listeners[0]?.port}/v1/models`
}

async function serveNetwork(upstreamPort: number): Promise<string> {
  const balancer = await startBenchBalancer()
  const gone = new AbortController().signal
  const target = { id: 'one', zone: 'a', kind: 'network', host: HOST, port: upstreamPort, gone } as const
  balancer.targetGroup('app').register(target)
  return `http://${HOST}:${balancer.listeners[0]?.port}/v1/models`
}

async function startBenchBalancer(): Promise<LoadBalancer> {
  const events = createEventStream()
  const healthCheck = {
    path: '/health',
    intervalSeconds: 30,
    timeoutSeconds: 5,
    healthyThreshold: 5,
    unhealthyThreshold: 2,
  }
  return startLoadBalancer(
    {
      name: 'bench',
      zones: ['a', 'b'],
      listeners: [
        {
          host: HOST,
          port: 0,
          rules,
          defaultAction: { type: 'fixed-response', statusCode: 404, contentType: 'text/plain', body: 'no rule' },
        },
      ],
      targetGroups: [
        { name: 'app', healthCheck },
        { name: 'other', healthCheck },
      ],
    },
    { clock: systemClock, ids: systemIds, events },
  )
}

async function serveBehindBalancer(): Promise<string> {
  const balancer = await startBenchBalancer()
  await startService({
    name: 'app',
    zones: ['a', 'b'],
    variables: {},
    runtime: { clock: systemClock, log: silentLog, ids: systemIds, shared: createShared() },
    targetGroup: balancer.targetGroup('app'),
    async start() {
      const app = createApp()
      await app.ready()
      return { server: app.server, drain: () => app.close(), stop: () => app.close(), kill: () => void app.close() }
    },
  })
  return `http://${HOST}:${balancer.listeners[0]?.port}/v1/models`
}
