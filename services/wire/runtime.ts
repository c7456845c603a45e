import type { Server } from 'node:http'
import type { Clock } from './clock.ts'
import type { Log } from './log.ts'

/** What the world gives a service besides its environment variables. */
export interface Runtime {
  readonly clock: Clock
  readonly log: Log
  readonly ids: Ids
  readonly shared: Shared
}

/** The source of identity and chance. */
export interface Ids {
  /** A random UUID. */
  uuid(): string
  /** `bytes` random bytes in hexadecimal. */
  hex(bytes: number): string
}

/**
 * Heavy things that programs in one process hold together, such as the workers of a loaded model. The first holder
 * opens it, the last one to release it closes it.
 */
export interface Shared {
  hold<T>(key: string, open: () => Promise<Opened<T>>): Promise<Held<T>>
}

export interface Opened<T> {
  readonly value: T
  close(): Promise<void>
}

export interface Held<T> {
  readonly value: T
  release(): Promise<void>
}

/** Environment variables, as a container would see them. */
export type Variables = Readonly<Record<string, string | undefined>>

/** A running program of the product. */
export interface Running {
  /** Its HTTP server, ready to answer, not yet listening. Absent for programs without one. */
  readonly server?: Server
  /** What people may want to know of it, in a few words: `tiny.en on cpu`. */
  readonly about?: string
  /** Stops taking new work; resolves when what is in flight has ended. */
  drain(): Promise<void>
  /** Drains within a short deadline, then releases everything. Idempotent. */
  stop(): Promise<void>
  /** Ends at once, as SIGKILL would: sockets, timers and clients go, no shutdown code runs. */
  kill(): void
}

/** The door of a long-running service: `services/<name>/service.ts` exports one as `start`. */
export type StartService = (variables: Variables, runtime: Runtime) => Promise<Running>

/**
 * Does what others expect a service to have done, such as making its tables, and is gone. `services/<name>/service.ts`
 * exports it as `prepare` where there is such a thing.
 */
export type PrepareService = (variables: Variables, runtime: Runtime) => Promise<void>

/** What a function is called with: the genuine AWS shape of the members this project uses. */
export interface FunctionContext {
  readonly functionName: string
  readonly awsRequestId: string
  getRemainingTimeInMillis(): number
}

/** A loaded function: `handler` has AWS Lambda's signature. */
export interface RunningFunction {
  handler(event: unknown, context: FunctionContext): Promise<unknown>
  stop(): Promise<void>
}

/** The door of a function: `services/<name>/service.ts` exports one as `start`. */
export type StartFunction = (variables: Variables, runtime: Runtime) => Promise<RunningFunction>
