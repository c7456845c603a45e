/**
 * The embedded queue against fauxqs, a queue that other projects use for the same purpose: SendMessage of 500 B over
 * keep-alive connections, and how soon a long poll has a message that is sent while it waits. Each server has a process
 * and one core of its own, the load comes from another core, rounds alternate.
 *
 *   npm run bench queue [-- rounds seconds]
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { buildApp } from 'fauxqs'
import { serveAdapter } from '../../emulator/backends/queue/contract/adapter-server.ts'
import { embeddedQueue } from '../../emulator/backends/queue/embedded.ts'
import { median } from '../median.ts'
import { openConnection, postOf } from '../raw-connection.ts'
import { canPin, LOAD_CORE, sayAddress, type ServerProcess, startServerProcess } from '../server-process.ts'

/** Of requests/s, ours to theirs. */
const TARGET_RATIO = 2.5
const TARGET_WAKE_MS = 2
const ROUNDS = 5
const ROUND_SECONDS = 3
const CONNECTIONS = 16
const WAKES = 300
const BODY = 'x'.repeat(500)

const thisFile = fileURLToPath(import.meta.url)

const SERVERS = { ours: serveOurs, fauxqs: serveFauxqs } as const
type ServerName = keyof typeof SERVERS

const [first, second] = process.argv.slice(2)
if (first === 'ours' || first === 'fauxqs') sayAddress(await SERVERS[first]())
else await compare(Number(first ?? ROUNDS), Number(second ?? ROUND_SECONDS))

interface BenchServer {
  readonly name: ServerName
  readonly endpoint: string
  readonly queueUrl: string
  readonly process: ServerProcess
}

interface Round {
  readonly requestsPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Of the server. What neighbours do to a core moves it less than the rate. */
  readonly cpuMicrosPerRequest: number
}

async function compare(rounds: number, seconds: number): Promise<void> {
  if (canPin) spawnSync('taskset', ['-cp', LOAD_CORE, `${process.pid}`])
  const servers: BenchServer[] = []
  try {
    const ours = await startServer('ours', servers)
    const fauxqs = await startServer('fauxqs', servers)
    for (const server of servers) await measure(server, 1)
    const pairs: [Round, Round][] = []
    for (let round = 0; round < rounds; round += 1) {
      pairs.push([await measure(ours, seconds), await measure(fauxqs, seconds)])
    }
    const wakes = { ours: await wakeTimes(ours), fauxqs: await wakeTimes(fauxqs) }
    report(pairs, wakes)
  } finally {
    for (const server of servers) await server.process.stop()
  }
}

function report(pairs: readonly [Round, Round][], wakes: Readonly<Record<ServerName, readonly number[]>>): void {
  const rate = median(pairs.map(([one, other]) => one.requestsPerSecond / other.requestsPerSecond))
  const cpu = median(pairs.map(([one, other]) => other.cpuMicrosPerRequest / one.cpuMicrosPerRequest))
  console.log(`cores    ${canPin ? 'one for the server, another for the load' : 'not pinned: no taskset'}`)
  console.log(`send     ${BODY.length} B, ${CONNECTIONS} connections, medians of ${pairs.length} rounds`)
  console.log(`  ours   ${describe(pairs.map(([one]) => one))}`)
  console.log(`  fauxqs ${describe(pairs.map(([, other]) => other))}`)
  console.log(
    `  ratio  ${rate.toFixed(2)} by requests/s, ${cpu.toFixed(2)} by CPU time, ${verdict(rate >= TARGET_RATIO)} ≥ ${TARGET_RATIO}`,
  )
  console.log(`wake-up  from the call of SendMessage to the answer of a waiting ReceiveMessage, ${WAKES} times`)
  const p50 = median(wakes.ours)
  console.log(`  ours   p50 ${p50.toFixed(2)} ms, p99 ${percentile99(wakes.ours).toFixed(2)} ms`)
  console.log(
    `  fauxqs p50 ${median(wakes.fauxqs).toFixed(2)} ms, p99 ${percentile99(wakes.fauxqs).toFixed(2)} ms; ours is ${verdict(p50 <= TARGET_WAKE_MS)} ≤ ${TARGET_WAKE_MS} ms`,
  )
}

function verdict(isMet: boolean): string {
  return isMet ? 'within' : 'NOT'
}

function describe(rounds: readonly Round[]): string {
  const middle = (key: keyof Round): number => median(rounds.map((round) => round[key]))
  const rate = `${Math.round(middle('requestsPerSecond'))} requests/s`
  return `${rate}, p50 ${middle('p50Ms').toFixed(2)} ms, p99 ${middle('p99Ms').toFixed(2)} ms, ${middle('cpuMicrosPerRequest').toFixed(1)} µs of CPU each`
}

function percentile99(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length * 0.99)] ?? Number.NaN
}

async function serveOurs(): Promise<string> {
  const { endpoint, stop } = await serveAdapter(embeddedQueue())
  process.once('SIGTERM', () => void stop().then(() => process.exit()))
  return endpoint
}

async function serveFauxqs(): Promise<string> {
  return buildApp({ logger: false }).listen({ host: '127.0.0.1', port: 0 })
}

async function startServer(name: ServerName, servers: BenchServer[]): Promise<BenchServer> {
  const started = await startServerProcess(thisFile, [name])
  const endpoint = started.address
  const { QueueUrl } = await ask(endpoint, 'CreateQueue', { QueueName: 'bench' })
  const server = { name, process: started, endpoint, queueUrl: String(QueueUrl) }
  servers.push(server)
  return server
}

/** The load comes from this process over bare sockets: a client library would be slower than the servers. */
async function measure(server: BenchServer, seconds: number): Promise<Round> {
  const body = JSON.stringify({ QueueUrl: server.queueUrl, MessageBody: BODY })
  const request = postOf(server.endpoint, headersOf('SendMessage'), body)
  const connections = await Promise.all(Array.from({ length: CONNECTIONS }, () => openConnection(server.endpoint)))
  const before = await server.process.cpuMicros()
  const from = performance.now()
  const until = from + seconds * 1000
  const times: number[] = []
  await Promise.all(
    connections.map(async (connection) => {
      while (performance.now() < until) times.push(await connection.exchange(request))
      connection.close()
    }),
  )
  const tookSeconds = (performance.now() - from) / 1000
  const cpuMicros = (await server.process.cpuMicros()) - before
  return {
    requestsPerSecond: times.length / tookSeconds,
    p50Ms: median(times),
    p99Ms: percentile99(times),
    cpuMicrosPerRequest: cpuMicros / times.length,
  }
}

async function wakeTimes({ endpoint }: BenchServer): Promise<number[]> {
  const { QueueUrl } = await ask(endpoint, 'CreateQueue', { QueueName: 'wake' })
  const post = (action: string, input: object): Buffer =>
    postOf(endpoint, headersOf(action), JSON.stringify({ QueueUrl, ...input }))
  const poll = post('ReceiveMessage', { WaitTimeSeconds: 20 })
  const glance = post('GetQueueAttributes', { AttributeNames: ['QueueArn'] })
  const sending = post('SendMessage', { MessageBody: BODY })
  const [receiver, sender] = [await openConnection(endpoint), await openConnection(endpoint)]
  const times: number[] = []
  for (let wake = 0; wake < WAKES; wake += 1) {
    const woken = receiver.exchange(poll).then(() => performance.now())
    // A round trip on the other connection: the poll has been read by then.
    await sender.exchange(glance)
    const from = performance.now()
    await sender.exchange(sending)
    times.push((await woken) - from)
  }
  receiver.close()
  sender.close()
  return times
}

async function ask(endpoint: string, action: string, input: object): Promise<Record<string, unknown>> {
  const response = await fetch(endpoint, { method: 'POST', headers: headersOf(action), body: JSON.stringify(input) })
  if (!response.ok) throw new Error(`${action}: ${response.status} ${await response.text()}`)
  return (await response.json()) as Record<string, unknown>
}

function headersOf(action: string): Record<string, string> {
  return { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': `AmazonSQS.${action}` }
}
