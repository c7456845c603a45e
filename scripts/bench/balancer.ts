/**
 * The cost of the balancer. Before a built-in service: the same Fastify app asked directly, and as an in-process target.
 * Before a network target: the balancer, and nginx and haproxy where they are installed, before the same upstream, once a
 * trivial one and once the Fastify app. Each server under test has a process and one core of its own; load and upstream
 * are on another; rounds alternate. WebSockets in the same places, to a server that sends back what it gets. Judge by CPU
 * time: rates also hold what the other core does. Usage:
 * `tsx scripts/bench/balancer.ts [rounds] [seconds]`.
 */
import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { median } from '../median.ts'
import { canPin, LOAD_CORE, pinned, SERVER_CORE, startServerProcess } from '../server-process.ts'
import { PROXIES, isInstalled, startProxy } from './balancer/proxies.ts'
import type { ServerName } from './balancer/servers.ts'
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

const run = promisify(execFile)
const serversFile = fileURLToPath(new URL('balancer/servers.ts', import.meta.url))

const [roundsText = ROUNDS, secondsText = ROUND_SECONDS] = process.argv.slice(2)
const [rounds, seconds] = [Number(roundsText), Number(secondsText)]
console.log(`cores     ${canPin ? 'one for the server, another for load and upstream' : 'not pinned: no taskset'}`)
await compare()
for (const upstream of ['trivial', 'direct'] as const) await compareNetwork(upstream)
await compareWebSockets()

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

async function compare(): Promise<void> {
  const direct = await startServer('direct')
  const balancer = await startServer('balancer')
  const pairs: [Round, Round][] = []
  try {
    for (const server of [direct, balancer]) await measure(server, 1)
    for (let round = 0; round < rounds; round += 1) {
      pairs.push([await measure(direct), await measure(balancer)])
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
async function compareNetwork(upstreamName: 'trivial' | 'direct'): Promise<void> {
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
      for (const [name, server] of servers) results.get(name)?.push(await measure(server))
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
async function compareWebSockets(): Promise<void> {
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
        pairs.push([await roundTripsOf(network), await roundTripsOf(nginx)])
      }
      const [own, other] = [0, 1].map((at) => Math.round(median(pairs.map((pair) => pair[at] ?? 0)) / seconds))
      const ratio = median(pairs.map(([one, rival]) => one / rival))
      console.log(`sockets   ${own} round trips/s, nginx ${other}, with ${BUSY_SOCKETS} connections`)
      console.log(`ratio     ${ratio.toFixed(3)}, wanted ≥ ${WEBSOCKET_RATIO}`)
    }
    const added = (await pacedMs(network)) - (await pacedMs(echo))
    console.log(`added     ${added.toFixed(3)} ms p50 with ${PACED_SOCKETS} paced, wanted ≤ ${ADDED_MS.network}`)
    const near: number[] = []
    for (let round = 0; round < rounds; round += 1) near.push((await singleMs(inProcess)) - (await singleMs(nearEcho)))
    console.log(`in-process ${median(near).toFixed(3)} ms p50 more than directly, wanted ≤ ${ADDED_MS['in-process']}`)
  } finally {
    await Promise.all(running.map((server) => server.stop()))
  }
}

async function roundTripsOf({ url }: BenchServer): Promise<number> {
  const sockets = await openEchoSockets(url, BUSY_SOCKETS)
  const count = await countRoundTrips(sockets, seconds)
  for (const socket of sockets) socket.close()
  return count
}

async function pacedMs({ url }: BenchServer): Promise<number> {
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

function describe(all: readonly Round[]): string {
  const rate = median(all.map(({ requestsPerSecond }) => requestsPerSecond))
  const cpu = median(all.map(({ cpuMicrosPerRequest }) => cpuMicrosPerRequest))
  return `${Math.round(rate)} requests/s, ${cpu.toFixed(1)} µs of CPU each (medians of ${all.length} rounds)`
}

async function startServer(name: ServerName, core = SERVER_CORE, upstreamPort = 0): Promise<BenchServer> {
  const { address, ...server } = await startServerProcess(serversFile, [name, `${upstreamPort}`], core)
  return { url: address, ...server }
}

async function measure(server: BenchServer, forSeconds = seconds): Promise<Round> {
  const autocannon = createRequire(import.meta.url).resolve('autocannon')
  const load = [process.execPath, autocannon, '-j', '-c', `${CONNECTIONS}`, '-d', `${forSeconds}`, server.url]
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
