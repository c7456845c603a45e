/**
 * The cost of the balancer. Before a built-in service: the same Fastify app asked directly, and as an in-process target.
 * Before a network target: the balancer, and nginx and haproxy where they are installed, before the same upstream, once a
 * trivial one and once the Fastify app. Each server under test has a process and one core of its own; load and upstream
 * are on another; rounds alternate. WebSockets in the same places, to a server that sends back what it gets. Judge by CPU
 * time: rates also hold what the other core does. Usage:
 * `tsx scripts/bench/balancer.ts [rounds] [seconds]`.
 */
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { type Server, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import Fastify, { type FastifyInstance } from 'fastify'
import { WebSocketServer } from 'ws'
import { type LoadBalancer, startLoadBalancer } from '../../emulator/alb/load-balancer.ts'
import type { Rule } from '../../emulator/alb/model.ts'
import { createEventStream } from '../../emulator/core/events.ts'
import { startService } from '../../emulator/ecs/service.ts'
import { systemClock } from '../../services/wire/clock.ts'
import { systemIds } from '../../services/wire/ids.ts'
import { silentLog } from '../../services/wire/log.ts'
import { createShared } from '../../services/wire/shared.ts'
import { bundled } from '../bundled.ts'
import { PROXIES, isInstalled, startProxy } from './balancer/proxies.ts'
import { countRoundTrips, openEchoSockets, paceRoundTrips } from './balancer/websockets.ts'

const IN_PROCESS_RATIO = 0.8
/** Of nginx's, before each upstream. */
const NETWORK_RATIOS = { trivial: 0.45, direct: 0.7 } as const
const WEBSOCKET_RATIO = 0.9
const ADDED_MS = { network: 0.2, 'in-process': 0.02 } as const
const KILOBYTES_EACH = 60
const BUSY_SOCKETS = 200
const PACED_SOCKETS = 1000
const SINGLE_ROUND_TRIPS = 3000
const ROUNDS = 7
const ROUND_SECONDS = 3
const CONNECTIONS = 50
const SERVER_CORE = '0'
const LOAD_CORE = '1'
const HOST = '127.0.0.1'

const run = promisify(execFile)
const thisFile = fileURLToPath(import.meta.url)
const canPin = spawnSync('taskset', ['--version']).status === 0

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
type ServerName = keyof typeof SERVERS

const [first, second] = process.argv.slice(2)
if (first !== undefined && first in SERVERS) {
  await serve(first as ServerName, Number(second))
} else {
  const [rounds, seconds] = [Number(first ?? ROUNDS), Number(second ?? ROUND_SECONDS)]
  console.log(`cores     ${canPin ? 'one for the server, another for load and upstream' : 'not pinned: no taskset'}`)
  await compare(rounds, seconds)
  for (const upstream of ['trivial', 'direct'] as const) await compareNetwork(upstream, rounds, seconds)
  await compareWebSockets(rounds, seconds)
}

interface BenchServer {
  readonly url: string
  cpuMicros(): Promise<number>
  /** Undefined for a rival. */
  rssBytes?(): Promise<number>
  stop(): Promise<void>
}

interface Round {
  readonly requestsPerSecond: number
  /** Of the server. What neighbours do to a core moves it less than the rate. */
  readonly cpuMicrosPerRequest: number
}

async function compare(rounds: number, seconds: number): Promise<void> {
  const direct = await startServer('direct')
  const balancer = await startServer('balancer')
  const pairs: [Round, Round][] = []
  try {
    for (const server of [direct, balancer]) await measure(server, 1)
    for (let round = 0; round < rounds; round += 1) {
      pairs.push([await measure(direct, seconds), await measure(balancer, seconds)])
    }
  } finally {
    await direct.stop()
    await balancer.stop()
  }
  const rate = median(pairs.map(([one, other]) => other.requestsPerSecond / one.requestsPerSecond))
  const cpu = median(pairs.map(([one, other]) => one.cpuMicrosPerRequest / other.cpuMicrosPerRequest))
  console.log(`direct    ${describe(pairs.map(([one]) => one))}`)
  console.log(`balancer  ${describe(pairs.map(([, other]) => other))}`)
  console.log(`ratio     ${rate.toFixed(3)} by requests/s, ${cpu.toFixed(3)} by CPU time, wanted ≥ ${IN_PROCESS_RATIO}`)
}

/** The balancer and its rivals before one upstream. */
async function compareNetwork(upstreamName: 'trivial' | 'direct', rounds: number, seconds: number): Promise<void> {
  const upstream = await startServer(upstreamName, LOAD_CORE)
  const { port, pathname } = new URL(upstream.url)
  const servers = new Map<string, BenchServer>([['network', await startServer('network', SERVER_CORE, Number(port))]])
  for (const name of PROXIES.filter(isInstalled)) {
    const proxy = await startProxy(name, Number(port), (command) => pinned(SERVER_CORE, command))
    servers.set(name, { ...proxy, url: proxy.url + pathname })
  }
  const results = new Map<string, Round[]>([...servers.keys()].map((name) => [name, []]))
  try {
    for (const server of servers.values()) await measure(server, 1)
    for (let round = 0; round < rounds; round += 1) {
      for (const [name, server] of servers) results.get(name)?.push(await measure(server, seconds))
    }
  } finally {
    await Promise.all([upstream, ...servers.values()].map((server) => server.stop()))
  }
  console.log(`upstream  ${upstreamName === 'trivial' ? 'an answer of two bytes' : 'the Fastify app'}`)
  for (const [name, each] of results) console.log(`${name.padEnd(9)} ${describe(each)}`)
  const [own = [], nginx] = [results.get('network'), results.get('nginx')]
  if (!nginx) return
  const rate = median(own.map((each, index) => each.requestsPerSecond / (nginx[index]?.requestsPerSecond ?? 0)))
  const cpu = median(own.map((each, index) => (nginx[index]?.cpuMicrosPerRequest ?? 0) / each.cpuMicrosPerRequest))
  console.log(
    `ratio     ${rate.toFixed(3)} by requests/s, ${cpu.toFixed(3)} by CPU time, wanted ≥ ${NETWORK_RATIOS[upstreamName]}`,
  )
}

/** To a network target beside nginx and beside no balancer at all, and to an in-process one. */
async function compareWebSockets(rounds: number, seconds: number): Promise<void> {
  const echo = await startServer('echo', LOAD_CORE)
  const { port, pathname } = new URL(echo.url)
  const network = await startServer('network', SERVER_CORE, Number(port))
  const inProcess = await startServer('echoBehind')
  const nearEcho = await startServer('echo')
  const running = [echo, network, inProcess, nearEcho]
  try {
    // First of all: later ones would have the memory of those before.
    console.log(`memory    ${(await kilobytesEach(network)).toFixed(1)} KB each, wanted ≤ ${KILOBYTES_EACH}`)
    if (isInstalled('nginx')) {
      const proxy = await startProxy('nginx', Number(port), (command) => pinned(SERVER_CORE, command))
      const nginx = { ...proxy, url: proxy.url + pathname }
      running.push(nginx)
      const pairs: [number, number][] = []
      for (let round = 0; round < rounds; round += 1) {
        pairs.push([await roundTripsOf(network, seconds), await roundTripsOf(nginx, seconds)])
      }
      const [own, other] = [0, 1].map((at) => Math.round(median(pairs.map((pair) => pair[at] ?? 0)) / seconds))
      const ratio = median(pairs.map(([one, rival]) => one / rival))
      console.log(`sockets   ${own} round trips/s, nginx ${other}, with ${BUSY_SOCKETS} connections`)
      console.log(`ratio     ${ratio.toFixed(3)}, wanted ≥ ${WEBSOCKET_RATIO}`)
    }
    const added = (await pacedMs(network, seconds)) - (await pacedMs(echo, seconds))
    console.log(`added     ${added.toFixed(3)} ms p50 with ${PACED_SOCKETS} paced, wanted ≤ ${ADDED_MS.network}`)
    const near: number[] = []
    for (let round = 0; round < rounds; round += 1) near.push((await singleMs(inProcess)) - (await singleMs(nearEcho)))
    console.log(`in-process ${median(near).toFixed(3)} ms p50 more than directly, wanted ≤ ${ADDED_MS['in-process']}`)
  } finally {
    await Promise.all(running.map((server) => server.stop()))
  }
}

async function roundTripsOf({ url }: BenchServer, seconds: number): Promise<number> {
  const sockets = await openEchoSockets(url, BUSY_SOCKETS)
  const count = await countRoundTrips(sockets, seconds)
  for (const socket of sockets) socket.close()
  return count
}

async function pacedMs({ url }: BenchServer, seconds: number): Promise<number> {
  const sockets = await openEchoSockets(url, PACED_SOCKETS)
  const trips = await paceRoundTrips(sockets, seconds)
  for (const socket of sockets) socket.close()
  return median(trips)
}

/** Of one connection alone. */
async function singleMs({ url }: BenchServer): Promise<number> {
  const [socket] = await openEchoSockets(url, 1)
  const trips: number[] = []
  if (!socket) return Number.NaN
  for (let trip = 0; trip < SINGLE_ROUND_TRIPS; trip += 1) trips.push(await socket.roundTrip())
  socket.close()
  return median(trips)
}

async function kilobytesEach({ url, rssBytes }: BenchServer): Promise<number> {
  const before = (await rssBytes?.()) ?? 0
  const sockets = await openEchoSockets(url, PACED_SOCKETS)
  const after = (await rssBytes?.()) ?? 0
  for (const socket of sockets) socket.close()
  return (after - before) / PACED_SOCKETS / 1024
}

function describe(rounds: readonly Round[]): string {
  const rate = median(rounds.map(({ requestsPerSecond }) => requestsPerSecond))
  const cpu = median(rounds.map(({ cpuMicrosPerRequest }) => cpuMicrosPerRequest))
  return `${Math.round(rate)} requests/s, ${cpu.toFixed(1)} µs of CPU each (medians of ${rounds.length} rounds)`
}

/** The server's side: says its address, then, when asked, the CPU time it has used. */
async function serve(name: ServerName, upstreamPort: number): Promise<void> {
  process.on('message', (question) => {
    if (question === 'rss') return void process.send?.(process.memoryUsage.rss())
    const { user, system } = process.cpuUsage()
    process.send?.(user + system)
  })
  process.send?.(await SERVERS[name](upstreamPort))
}

async function startServer(name: ServerName, core = SERVER_CORE, upstreamPort = 0): Promise<BenchServer> {
  // As users run it: without a loader.
  const [command, ...rest] = pinned(core, [process.execPath, await bundled(thisFile), name, `${upstreamPort}`])
  const child = spawn(command ?? '', rest, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const url = String(await answerOf(child))
  const ask = async (question: 'cpu' | 'rss'): Promise<number> => {
    child.send(question)
    return Number(await answerOf(child))
  }
  return { url, cpuMicros: () => ask('cpu'), rssBytes: () => ask('rss'), stop: async () => void child.kill() }
}

async function answerOf(child: ChildProcess): Promise<unknown> {
  const ended = new AbortController()
  const exited = once(child, 'exit', ended).then(() => Promise.reject(new Error('A server has ended.')))
  try {
    const [answer] = (await Promise.race([once(child, 'message'), exited])) as [unknown]
    return answer
  } finally {
    exited.catch(() => undefined)
    ended.abort()
  }
}

async function measure(server: BenchServer, seconds: number): Promise<Round> {
  const autocannon = createRequire(import.meta.url).resolve('autocannon')
  const load = [process.execPath, autocannon, '-j', '-c', `${CONNECTIONS}`, '-d', `${seconds}`, server.url]
  const [command, ...rest] = pinned(LOAD_CORE, load)
  const before = await server.cpuMicros()
  const { stdout } = await run(command ?? '', rest)
  const cpuMicros = (await server.cpuMicros()) - before
  const { requests, errors, non2xx } = JSON.parse(stdout) as LoadResult
  if (errors + non2xx > 0) throw new Error(`${errors} errors and ${non2xx} answers that are not 2xx at ${server.url}`)
  return { requestsPerSecond: requests.average, cpuMicrosPerRequest: cpuMicros / requests.total }
}

/** What autocannon prints, as far as it is of use here. */
interface LoadResult {
  readonly requests: { readonly average: number; readonly total: number }
  readonly errors: number
  readonly non2xx: number
}

function pinned(core: string, command: readonly string[]): readonly string[] {
  return canPin ? ['taskset', '-c', core, ...command] : command
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0
}

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
  const events = createEventStream(systemClock)
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
