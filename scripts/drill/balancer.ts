/**
 * Load on a balancer whose targets die at random, half of them in-process, half over the network: clients may only get
 * the documented status codes or a broken connection, and afterwards nothing may be left: no connection, no timer, no
 * answer that is still owed, no rejection that nobody handled. Exits with 1 otherwise.
 *
 *   npm run drill balancer [seconds] [clients] [seed]      default 60 and 40; the seed is printed
 */
import { once } from 'node:events'
import { type RequestListener, type Server, createServer } from 'node:http'
import { type AddressInfo, type Socket, connect } from 'node:net'
import { startLoadBalancer } from '../../emulator/alb/load-balancer.ts'
import type { Target } from '../../emulator/alb/model.ts'
import { createEventStream } from '../../emulator/core/events.ts'
import { type Clock, type Timer, keepAlive, systemClock } from '../../services/wire/clock.ts'
import { systemIds } from '../../services/wire/ids.ts'
import { seededRandom } from '../../services/wire/seeded-random.ts'

const [secondsText = '60', clientsText = '40', seedText = String(Date.now() % 1_000_000)] = process.argv.slice(2)
const [seconds, clients, seed] = [Number(secondsText), Number(clientsText), Number(seedText)]

const HOST = '127.0.0.1'
const TARGETS = 6
const SHORTEST_GAP_MS = 20
const LONGEST_GAP_MS = 300
/** Of the targets' own, and of the balancer before targets that die (aws-behaviour §1.13). */
const DOCUMENTED = new Set([200, 502, 503, 504])
const SLOW_ANSWER_MS = 15
const LARGE = Buffer.alloc(256 * 1024, 'x')

const random = seededRandom(seed)
const faults: string[] = []
process.on('unhandledRejection', (error) => faults.push(`a rejection that nobody handled: ${String(error)}`))
process.on('uncaughtException', (error) => faults.push(`an exception that nobody caught: ${error.stack}`))

/** The program of every target: fast, slow, large and streamed answers, and bodies that it reads whole. */
const answer: RequestListener = (request, response) => {
  const { url } = request
  if (url === '/slow') systemClock.after(SLOW_ANSWER_MS, () => response.end('slow'))
  else if (url === '/large') response.end(LARGE)
  else if (url === '/stream') stream(3)
  else if (url === '/body') request.resume().on('end', () => response.end('read'))
  else response.end('fast')

  function stream(parts: number): void {
    if (parts === 0) return void response.end()
    response.write('part')
    systemClock.after(SLOW_ANSWER_MS, () => stream(parts - 1))
  }
}

interface LiveTarget {
  readonly target: Target
  kill(): void
}

console.log(`seed ${seed}: ${clients} clients for ${seconds} s`)
const alive = keepAlive()
const clock = countTimers(systemClock)
const events = createEventStream()
const balancer = await startLoadBalancer(
  {
    name: 'drill',
    zones: ['a', 'b'],
    listeners: [{ host: HOST, port: 0, rules: [], defaultAction: { type: 'forward', targetGroup: 'web' } }],
    targetGroups: [
      {
        name: 'web',
        deregistrationDelaySeconds: 1,
        healthCheck: {
          path: '/health',
          intervalSeconds: 5,
          timeoutSeconds: 2,
          healthyThreshold: 2,
          unhealthyThreshold: 2,
        },
      },
    ],
  },
  { clock, ids: systemIds, events },
)
const port = balancer.listeners[0]?.port ?? 0
const group = balancer.targetGroup('web')
const counts = new Map<string, number>()
let logged = 0
events.read((event) => {
  if (event.type === 'alb.access') logged += 1
})

const live: LiveTarget[] = []
for (let index = 0; index < TARGETS; index += 1) await replace(index)
const end = systemClock.now() + seconds * 1_000
const running = Array.from({ length: clients }, () => runClient())
const kills = await killAtRandom()
await Promise.all(running)
for (const { kill } of live) kill()
await balancer.stop()
await systemClock.sleep(SLOW_ANSWER_MS * 10)
alive.cancel()

const exchanges = [...counts.values()].reduce((total, count) => total + count, 0)
for (const [outcome, count] of counts) console.log(`${outcome.padEnd(22)} ${count}`)
console.log(`kills                  ${kills}`)
if (logged < exchanges) faults.push(`${exchanges - logged} of ${exchanges} exchanges are not in the log`)
if (clock.pending > 0) faults.push(`${clock.pending} timers are left`)
const left = process.getActiveResourcesInfo().filter((name) => name.startsWith('TCP'))
if (left.length > 0) faults.push(`left: ${left.join(', ')}`)
console.log(`faults                 ${faults.length}`)
for (const fault of faults) console.log(`FAILED  ${fault}`)
process.exitCode = faults.length > 0 ? 1 : 0

/** A new target in the place of another; every second one is reached over the network. */
async function replace(index: number): Promise<void> {
  const id = `target-${index}-${systemIds.hex(4)}`
  const next = index % 2 === 0 ? createInProcess(id) : await startNetwork(id)
  live[index] = next
  group.register(next.target)
}

function createInProcess(id: string): LiveTarget {
  const life = new AbortController()
  const server = createServer(answer)
  return { target: { id, zone: 'a', kind: 'in-process', server, gone: life.signal }, kill: () => life.abort() }
}

async function startNetwork(id: string): Promise<LiveTarget> {
  const server: Server = createServer(answer).listen(0, HOST)
  await once(server, 'listening')
  const { port: own } = server.address() as AddressInfo
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  const life = new AbortController()
  const target: Target = { id, zone: 'b', kind: 'network', host: HOST, port: own, gone: life.signal }
  const kill = (): void => {
    server.close()
    for (const socket of sockets) socket.resetAndDestroy()
  }
  return { target, kill }
}

/** A killed target stays registered for a while, as a crashed task does, before the next one takes its place. */
async function killAtRandom(): Promise<number> {
  let killed = 0
  while (systemClock.now() < end) {
    await systemClock.sleep(SHORTEST_GAP_MS + random() * (LONGEST_GAP_MS - SHORTEST_GAP_MS))
    const index = Math.floor(random() * TARGETS)
    const victim = live[index]
    if (!victim) continue
    victim.kill()
    killed += 1
    await systemClock.sleep(random() * SHORTEST_GAP_MS)
    group.deregister(victim.target.id)
    await replace(index)
  }
  return killed
}

/** One request after the other, over a kept connection while it lasts; now and then it leaves before the answer. */
async function runClient(): Promise<void> {
  const paths = ['/fast', '/fast', '/slow', '/large', '/stream', '/body']
  let socket: Socket | undefined
  while (systemClock.now() < end) {
    if (!socket?.writable) {
      socket = connect(port, HOST)
      socket.on('error', () => undefined)
      await once(socket, 'connect')
    }
    const path = paths[Math.floor(random() * paths.length)] ?? '/fast'
    const isLeaving = random() < 1 / 200
    const outcome = await exchange(socket, path, isLeaving)
    counts.set(outcome, (counts.get(outcome) ?? 0) + 1)
  }
  socket?.destroy()
}

function exchange(socket: Socket, path: string, isLeaving: boolean): Promise<string> {
  return new Promise((resolve) => {
    let received = ''
    const settle = (outcome: string): void => {
      socket.off('data', take).off('close', cut)
      resolve(outcome)
    }
    const cut = (): void => settle(isLeaving ? 'left' : received === '' ? 'closed' : 'cut')
    const take = (chunk: Buffer): void => {
      received += chunk.toString('latin1')
      const status = toWholeStatus(received)
      if (status === undefined) return
      if (!DOCUMENTED.has(status)) faults.push(`${path} was answered with ${received.slice(0, 200)}`)
      settle(String(status))
    }
    socket.on('data', take).once('close', cut)
    const head = `Host: drill\r\n`
    if (path === '/body') socket.write(`POST ${path} HTTP/1.1\r\n${head}Content-Length: ${LARGE.length}\r\n\r\n`)
    else socket.write(`GET ${path} HTTP/1.1\r\n${head}\r\n`)
    if (path === '/body') socket.write(LARGE)
    if (isLeaving) systemClock.after(random() * 2, () => socket.destroy())
  })
}

/** The status of an answer that is all there. */
function toWholeStatus(received: string): number | undefined {
  const headEnd = received.indexOf('\r\n\r\n')
  if (headEnd === -1) return undefined
  const head = received.slice(0, headEnd)
  const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1]
  const isWhole =
    length === undefined ? received.endsWith('\r\n0\r\n\r\n') : received.length >= headEnd + 4 + Number(length)
  return isWhole ? Number(head.slice('HTTP/1.1 '.length, 'HTTP/1.1 200'.length)) : undefined
}

/** A clock that knows how many of its timers are pending. */
function countTimers(of: Clock): Clock & { readonly pending: number } {
  const pending = new Set<Timer>()
  return {
    ...of,
    after(ms, run) {
      const timer = of.after(ms, () => {
        pending.delete(counted)
        run()
      })
      const counted: Timer = {
        cancel() {
          pending.delete(counted)
          timer.cancel()
        },
      }
      pending.add(counted)
      return counted
    },
    get pending() {
      return pending.size
    },
  }
}
