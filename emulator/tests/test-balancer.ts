import { once } from 'node:events'
import { type Agent, type RequestListener, type Server, createServer, request } from 'node:http'
import { type AddressInfo, type Server as NetServer, type Socket, connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { systemIds } from '../../services/wire/ids.ts'
import { type LoadBalancer, startLoadBalancer } from '../alb/load-balancer.ts'
import type {
  Action,
  HealthCheckConfig,
  InProcessTarget,
  LoadBalancerAttributes,
  NetworkTarget,
  Rule,
  Target,
  TargetGroupConfig,
} from '../alb/model.ts'
import { type VirtualClock, createVirtualClock } from '../core/clock.ts'
import { type AccessRecord, type EventStream, createEventStream } from '../core/events.ts'

type OnTestFinished = (cleanUp: () => void | Promise<void>) => void

export interface TestBalancerOptions {
  readonly onTestFinished: OnTestFinished
  readonly rules?: readonly Rule[]
  readonly defaultAction?: Action
  readonly zones?: readonly string[]
  readonly targetGroups?: readonly TargetGroupConfig[]
  readonly attributes?: LoadBalancerAttributes
  readonly cookieSecret?: string
  /** Uniform in [0, 1). */
  readonly random?: () => number
}

export interface TestBalancer {
  readonly balancer: LoadBalancer
  readonly port: number
  readonly clock: VirtualClock
  readonly events: EventStream
}

/** When the virtual clock of every test begins: Wed, 01 Jan 2025 00:00:00 GMT. */
export const START_MS = 1_735_689_600_000

export const healthCheck: HealthCheckConfig = {
  path: '/health',
  intervalSeconds: 30,
  timeoutSeconds: 5,
  healthyThreshold: 3,
  unhealthyThreshold: 2,
}

/** A balancer with one listener on a free port and the target group `web`, where everything goes by default. */
export async function startTestBalancer(options: TestBalancerOptions): Promise<TestBalancer> {
  const { onTestFinished, rules = [], defaultAction = forwardTo('web'), zones = ['a'] } = options
  const { targetGroups = [{ name: 'web', healthCheck }], attributes = {}, cookieSecret, random } = options
  const clock = createVirtualClock(START_MS)
  const events = createEventStream()
  const listeners = [{ host: '127.0.0.1', port: 0, rules, defaultAction }]
  const config = { name: 'test', zones, listeners, targetGroups, attributes }
  const balancer = await startLoadBalancer(config, { clock, ids: systemIds, events, cookieSecret, random })
  onTestFinished(() => balancer.stop())
  return { balancer, port: balancer.listeners[0]?.port ?? 0, clock, events }
}

export function forwardTo(targetGroup: string): Action {
  return { type: 'forward', targetGroup }
}

export interface TestTarget extends InProcessTarget {
  kill(): void
}

/** A target that answers health checks itself and everything else with `answer`. */
export function createTarget(id: string, answer: RequestListener): TestTarget {
  return createTargetOf(
    id,
    createServer((incoming, response) => {
      if (incoming.url === '/health') response.end('ok')
      else answer(incoming, response)
    }),
  )
}

export function createTargetOf(id: string, server: Server): TestTarget {
  const life = new AbortController()
  return { id, zone: 'a', kind: 'in-process', server, gone: life.signal, kill: () => life.abort() }
}

/** Registers the targets and waits until each has passed its first check. */
export async function register(balancer: LoadBalancer, group: string, targets: readonly Target[]): Promise<void> {
  const targetGroup = balancer.targetGroup(group)
  targetGroup.register(...targets)
  await Promise.all(targets.map(({ id }) => targetGroup.firstCheck(id)))
}

export async function openSocket(port: number, onTestFinished: OnTestFinished): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  await once(socket, 'connect')
  return socket
}

/** Sends `sent` as it is and returns all that comes back until the connection ends. */
export async function exchangeRaw(port: number, sent: string, onTestFinished: OnTestFinished): Promise<string> {
  const socket = await openSocket(port, onTestFinished)
  socket.write(sent, 'latin1')
  let received = ''
  socket.setEncoding('latin1')
  for await (const chunk of socket) received += String(chunk)
  return received
}

/** What comes over the socket until it contains `end`. */
export async function readUntil(socket: Socket, end: string): Promise<string> {
  let received = ''
  for await (const [chunk] of on(socket)) {
    received += chunk.toString('latin1')
    if (received.includes(end)) break
  }
  return received
}

async function* on(socket: Socket): AsyncGenerator<[Buffer]> {
  for (;;) yield (await once(socket, 'data')) as [Buffer]
}

/** The access event of the first request for `path`. */
export async function accessOf(events: EventStream, path: string): Promise<AccessRecord> {
  const { access } = await events.next('alb.access', { where: (event) => event.access.path === path, timeoutMs: 1_000 })
  return access
}

export interface Deferred<T> {
  readonly promise: Promise<T>
  resolve(value: T): void
}

export function createDeferred<T>(): Deferred<T> {
  let resolve: (value: T) => void = () => undefined
  const promise = new Promise<T>((settle) => (resolve = settle))
  return { promise, resolve: (value) => resolve(value) }
}

export interface Answer {
  readonly status: number | undefined
  readonly body: string
  /** Of the client's end of the connection. */
  readonly localPort: number | undefined
}

export interface GetOptions {
  readonly host?: string
  readonly method?: string
  readonly agent?: Agent
}

/** One request, as a stock client sends it. */
export function get(port: number, path: string, options: GetOptions = {}): Promise<Answer> {
  const { host = 'a', method = 'GET', agent } = options
  return new Promise<Answer>((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, method, headers: { host }, agent }, (response) => {
      const { statusCode: status, socket } = response
      const { localPort } = socket
      text(response).then((body) => resolve({ status, body, localPort }), reject)
    })
    sent.on('error', reject)
    sent.end()
  })
}

export interface TestNetworkTarget extends NetworkTarget {
  /** Its TCP connections, closed ones too, in the order in which they came. */
  readonly connections: readonly Socket[]
}

/** A target on a port of its own. */
export async function startNetworkTarget(
  id: string,
  server: NetServer,
  onTestFinished: OnTestFinished,
): Promise<TestNetworkTarget> {
  const connections: Socket[] = []
  server.on('connection', (socket: Socket) => connections.push(socket))
  server.listen(0, '127.0.0.1')
  onTestFinished(() => {
    server.close()
    for (const socket of connections) socket.destroy()
  })
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { id, zone: 'a', kind: 'network', host: '127.0.0.1', port, gone: new AbortController().signal, connections }
}
