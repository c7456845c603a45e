/**
 * The cost of the balancer before a built-in service: the same Fastify app asked directly, and as an in-process
 * target behind the balancer. Each server has a process and one core of its own, the load comes from another core,
 * rounds alternate. Usage: `tsx scripts/bench/balancer.ts [rounds] [seconds]`.
 */
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import Fastify, { type FastifyInstance } from 'fastify'
import { startLoadBalancer } from '../../emulator/alb/load-balancer.ts'
import type { Rule } from '../../emulator/alb/model.ts'
import { createEventStream } from '../../emulator/core/events.ts'
import { startService } from '../../emulator/ecs/service.ts'
import { systemClock } from '../../services/wire/clock.ts'
import { systemIds } from '../../services/wire/ids.ts'
import { silentLog } from '../../services/wire/log.ts'
import { createShared } from '../../services/wire/shared.ts'

const TARGET_RATIO = 0.75
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

const SERVERS = { direct: serveDirectly, balancer: serveBehindBalancer } as const
type ServerName = keyof typeof SERVERS

const [first, second] = process.argv.slice(2)
if (first === 'direct' || first === 'balancer') await serve(first)
else await compare(Number(first ?? ROUNDS), Number(second ?? ROUND_SECONDS))

interface BenchServer {
  readonly url: string
  readonly child: ChildProcess
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
    direct.child.kill()
    balancer.child.kill()
  }
  const rate = median(pairs.map(([one, other]) => other.requestsPerSecond / one.requestsPerSecond))
  const cpu = median(pairs.map(([one, other]) => one.cpuMicrosPerRequest / other.cpuMicrosPerRequest))
  console.log(`cores     ${canPin ? 'one for the server, another for the load' : 'not pinned: no taskset'}`)
  console.log(`direct    ${describe(pairs.map(([one]) => one))}`)
  console.log(`balancer  ${describe(pairs.map(([, other]) => other))}`)
  console.log(`ratio     ${rate.toFixed(3)} by requests/s, ${cpu.toFixed(3)} by CPU time, wanted ≥ ${TARGET_RATIO}`)
}

function describe(rounds: readonly Round[]): string {
  const rate = median(rounds.map(({ requestsPerSecond }) => requestsPerSecond))
  const cpu = median(rounds.map(({ cpuMicrosPerRequest }) => cpuMicrosPerRequest))
  return `${Math.round(rate)} requests/s, ${cpu.toFixed(1)} µs of CPU each (medians of ${rounds.length} rounds)`
}

/** The server's side: says its address, then, when asked, the CPU time it has used. */
async function serve(name: ServerName): Promise<void> {
  process.on('message', () => {
    const { user, system } = process.cpuUsage()
    process.send?.(user + system)
  })
  process.send?.(await SERVERS[name]())
}

async function startServer(name: ServerName): Promise<BenchServer> {
  const [command, ...rest] = pinned(SERVER_CORE, [process.execPath, ...process.execArgv, thisFile, name])
  const child = spawn(command ?? '', rest, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  return { child, url: String(await answerOf(child)) }
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

async function cpuMicrosOf({ child }: BenchServer): Promise<number> {
  child.send('cpu')
  return Number(await answerOf(child))
}

async function measure(server: BenchServer, seconds: number): Promise<Round> {
  const autocannon = createRequire(import.meta.url).resolve('autocannon')
  const load = [process.execPath, autocannon, '-j', '-c', `${CONNECTIONS}`, '-d', `${seconds}`, server.url]
  const [command, ...rest] = pinned(LOAD_CORE, load)
  const before = await cpuMicrosOf(server)
  const { stdout } = await run(command ?? '', rest)
  const cpuMicros = (await cpuMicrosOf(server)) - before
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

async function serveBehindBalancer(): Promise<string> {
  const events = createEventStream(systemClock)
  const healthCheck = {
    path: '/health',
    intervalSeconds: 30,
    timeoutSeconds: 5,
    healthyThreshold: 5,
    unhealthyThreshold: 2,
  }
  const balancer = await startLoadBalancer(
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
