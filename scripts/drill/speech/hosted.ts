import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { bundled } from '../../bundled.ts'

export type HostQuestion =
  | { readonly type: 'usage' }
  | { readonly type: 'cpu' }
  | { readonly type: 'kill'; readonly service: string }
  | { readonly type: 'stop' }

export type HostAnswer =
  | ({ readonly type: 'ready' } & HostPlaces)
  | ({ readonly type: 'usage' } & HostUsage)
  | { readonly type: 'cpu'; readonly cpuMs: number }

export interface HostPlaces {
  /** Of the load balancer. */
  readonly url: string
  readonly variables: Readonly<Record<string, string>>
  readonly key: string
  readonly organisation: string
  /** Where each speech server listens, by name. */
  readonly speechServers: Readonly<Record<string, string>>
}

/** What the process has and has used, after its garbage was collected. */
export interface HostUsage {
  readonly rssBytes: number
  /** Of the main thread: JavaScript's own, and buffers. */
  readonly heapBytes: number
  /** Since it was started, all threads. */
  readonly cpuMs: number
  /** What keeps it busy, by Node's names: sockets, timers, … */
  readonly resources: Readonly<Record<string, number>>
}

/** The system under test in a process of its own. */
export interface Hosted {
  readonly places: HostPlaces
  usage(): Promise<HostUsage>
  /** CPU time since it was started, all threads. Collects no garbage, which takes some itself. */
  cpuMs(): Promise<number>
  /** Ends one task of a service at once; another one takes its place. */
  kill(service: string): void
  readonly hasExited: boolean
  stop(): Promise<void>
}

/** glibc keeps what was freed, some of it for each thread; without, memory says what is held. Other systems ignore it. */
const PLAIN_ALLOCATOR = { MALLOC_ARENA_MAX: '1', MALLOC_TRIM_THRESHOLD_: '131072', MALLOC_MMAP_THRESHOLD_: '131072' }

/** @throws Error when the process ends before it is ready */
export async function startHost(baseDir: string): Promise<Hosted> {
  const script = await bundled(fileURLToPath(new URL('host.ts', import.meta.url)))
  const child = fork(script, [baseDir], { execArgv: ['--expose-gc'], env: { ...process.env, ...PLAIN_ALLOCATOR } })
  const exited = once(child, 'exit').then(([code, signal]): never => {
    throw new Error(`The system has ended with ${String(signal ?? code)}.`)
  })
  exited.catch(() => undefined)

  async function answer<T extends HostAnswer['type']>(type: T): Promise<Extract<HostAnswer, { type: T }>> {
    for (;;) {
      const [message] = (await Promise.race([once(child, 'message'), exited])) as [HostAnswer]
      if (isOf(message, type)) return message
    }
  }

  function ask(question: HostQuestion): void {
    child.send(question)
  }

  const places = await answer('ready')
  return {
    places,
    usage() {
      const usage = answer('usage')
      ask({ type: 'usage' })
      return usage
    },
    async cpuMs() {
      const cpu = answer('cpu')
      ask({ type: 'cpu' })
      return (await cpu).cpuMs
    },
    kill: (service) => ask({ type: 'kill', service }),
    get hasExited() {
      return child.exitCode !== null || child.signalCode !== null
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      ask({ type: 'stop' })
      await exited.catch(() => undefined)
    },
  }
}

function isOf<T extends HostAnswer['type']>(answer: HostAnswer, type: T): answer is Extract<HostAnswer, { type: T }> {
  return answer.type === type
}
