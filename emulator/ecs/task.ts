import type { Server } from 'node:http'
import type { Runtime, StartService, Variables } from '../../services/wire/runtime.ts'
import { isIPv6 } from 'node:net'

/** ECS's own states; what comes before RUNNING is over when `startTask` returns. */
export type TaskState = 'RUNNING' | 'DEACTIVATING' | 'STOPPING' | 'STOPPED'

/** One running copy of a service, with its own server, clients and variables. */
export interface Task {
  readonly id: string
  readonly service: string
  readonly zone: string
  readonly revision: number
  /** Its HTTP server, when it has one. */
  readonly server: Server | undefined
  /** `http://host:port`, when it listens itself. */
  readonly address: string | undefined
  /** What its program says of itself. */
  readonly about: string | undefined
  readonly state: TaskState
  /** Aborts when the task is gone, before its sockets break. */
  readonly gone: AbortSignal
  /** Takes no new work; resolves when what is in flight has ended. */
  drain(): Promise<void>
  /** Drains within the program's own deadline, then ends it. Idempotent. */
  stop(): Promise<void>
  /** Ends it at once, as SIGKILL would. */
  kill(): void
}

export interface TaskOptions {
  /** 32 hexadecimal digits. */
  readonly id: string
  readonly service: string
  readonly zone: string
  readonly revision: number
  readonly start: StartService
  readonly variables: Variables
  readonly runtime: Runtime
  /** Lets the task's server listen on its own, besides being an in-process target. Port 0 takes any free one. */
  readonly listen?: { readonly host: string; readonly port: number } | undefined
}

/**
 * Starts one task in this process through its service's door.
 * @throws whatever the service throws; the system's own error when it cannot listen.
 */
export async function startTask(options: TaskOptions): Promise<Task> {
  const { id, service, zone, revision, start, variables, runtime } = options
  const running = await start(variables, runtime)
  const { server } = running
  const address = await listen(server, options).catch(async (error: unknown) => {
    await running.stop()
    throw error
  })
  const life = new AbortController()
  let state: TaskState = 'RUNNING'
  let stopped: Promise<void> | undefined

  async function end(): Promise<void> {
    state = 'STOPPING'
    try {
      await running.stop()
    } finally {
      state = 'STOPPED'
      life.abort()
    }
  }

  return {
    id,
    service,
    zone,
    revision,
    server,
    address,
    about: running.about,
    gone: life.signal,
    get state() {
      return state
    },
    async drain() {
      if (state === 'RUNNING') state = 'DEACTIVATING'
      await running.drain()
    },
    stop: () => (stopped ??= end()),
    kill() {
      if (state === 'STOPPED') return
      state = 'STOPPED'
      stopped ??= Promise.resolve()
      life.abort()
      running.kill()
    },
  }
}

async function listen(
  server: Server | undefined,
  { service, listen: where }: TaskOptions,
): Promise<string | undefined> {
  if (!where) return undefined
  if (!server) throw new Error(`${service} has no server that could listen.`)
  const { host } = where
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(where.port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : where.port
  return `http://${isIPv6(host) ? `[${host}]` : host}:${port}`
}
