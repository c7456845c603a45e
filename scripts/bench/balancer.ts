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
if (first === 'direct' || first === 'balancer') process.stdout.write(`${await SERVERS[first]()}\n`)
else await compare(Number(first ?? ROUNDS), Number(second ?? ROUND_SECONDS))

async function compare(rounds: number, seconds: number): Promise<void> {
  const direct = await startServer('direct')
  const balancer = await startServer('balancer')
  const rates: Record<ServerName, number[]> = { direct: [], balancer: [] }
  try {
    for (const { url } of [direct, balancer]) await measure(url, 1)
    for (let round = 0; round < rounds; round += 1) {
      rates.direct.push(await measure(direct.url, seconds))
      rates.balancer.push(await measure(balancer.url, seconds))
    }
  } finally {
    direct.child.kill()
    balancer.child.kill()
  }
  const directRate = median(rates.direct)
  const balancerRate = median(rates.balancer)
  const ratio = median(rates.balancer.map((rate, round) => rate / (rates.direct[round] ?? rate)))
  console.log(`cores     ${canPin ? 'one for the server, another for the load' : 'not pinned: no taskset'}`)
  console.log(`direct    ${Math.round(directRate)} requests/s (median of ${rounds} rounds)`)
  console.log(`balancer  ${Math.round(balancerRate)} requests/s`)
  console.log(`ratio     ${ratio.toFixed(3)} (median of the rounds' ratios), wanted ≥ ${TARGET_RATIO}`)
}

async function startServer(name: ServerName): Promise<{ child: ChildProcess; url: string }> {
  const [command, ...rest] = pinned(SERVER_CORE, [process.execPath, ...process.execArgv, thisFile, name])
  const child = spawn(command ?? '', rest, { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'exit').then(() => Promise.reject(new Error(`The ${name} server did not start.`)))
  const [url] = (await Promise.race([once(child.stdout, 'data'), ended])) as [Buffer]
  ended.catch(() => undefined)
  return { child, url: url.toString().trim() }
}

/** Requests per second over one round. */
async function measure(url: string, seconds: number): Promise<number> {
  const autocannon = createRequire(import.meta.url).resolve('autocannon')
  const load = [process.execPath, autocannon, '-j', '-c', `${CONNECTIONS}`, '-d', `${seconds}`, url]
  const [command, ...rest] = pinned(LOAD_CORE, load)
  const { stdout } = await run(command ?? '', rest)
  const result = JSON.parse(stdout) as { requests: { average: number }; errors: number; non2xx: number }
  if (result.errors + result.non2xx > 0) throw new Error(`${result.errors} errors, ${result.non2xx} not 2xx at ${url}`)
  return result.requests.average
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
