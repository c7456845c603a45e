import { inspect } from 'node:util'
import { systemClock } from '../../services/wire/clock.ts'

/** Everything that happens in an environment, as one typed stream. Producers never know their readers. */
export type EnvironmentEvent =
  | {
      readonly type: 'part.starting'
      readonly at: number
      readonly part: string
      /** What takes its time, where that is known: `loading the model`. */
      readonly activity?: string | undefined
    }
  | {
      readonly type: 'part.ready'
      readonly at: number
      readonly part: string
      readonly detail: string
      readonly tookMs: number
    }
  | { readonly type: 'part.failed'; readonly at: number; readonly part: string; readonly message: string }
  | { readonly type: 'part.stopped'; readonly at: number; readonly part: string }
  | {
      readonly type: 'backend.declined'
      readonly at: number
      readonly backend: string
      readonly adapter: string
      readonly reason: string
    }
  | {
      readonly type: 'backend.lost'
      readonly at: number
      readonly backend: string
      readonly reason: string
    }
  | {
      readonly type: 'backend.restored'
      readonly at: number
      readonly backend: string
      /** Since it was lost first. */
      readonly awayMs: number
    }
  | {
      /** A documented text of the cloud's own: what its console shows of a failover or of a replaced task. */
      readonly type: 'cloud.event'
      readonly at: number
      readonly source: 'elasticache' | 'rds' | 'ecs'
      /** Backend or service. */
      readonly subject: string
      /** `RDS-EVENT-0013`, where it has one. */
      readonly code?: string | undefined
      readonly message: string
    }
  | {
      readonly type: 'log'
      readonly at: number
      readonly part: string
      readonly level: string
      readonly text: string
      readonly fields: Readonly<Record<string, unknown>>
    }
  | { readonly type: 'alb.access'; readonly at: number; readonly access: AccessRecord }
  | {
      readonly type: 'alb.target-health'
      readonly at: number
      readonly targetGroup: string
      readonly target: string
      readonly state: string
      readonly reason: string
    }

/** One request through the balancer, written when its response or its socket has ended. Times in milliseconds. */
export interface AccessRecord {
  /** A WebSocket is `ws` or `wss` only when it was opened. */
  readonly kind: 'http' | 'https' | 'h2' | 'ws' | 'wss'
  /** Address and port of the TCP peer. */
  readonly client: string
  /** Index of the balancer's node. */
  readonly node: number
  /** Of the node's end of the connection. */
  readonly nodeAddress: string
  readonly listenerPort: number
  readonly method: string
  readonly host: string
  readonly path: string
  /** Request target and `Host` header as sent; `-` for what was no request. */
  readonly url: string
  readonly authority: string
  readonly httpVersion: string
  readonly userAgent: string | undefined
  /** Undefined for what was refused before the rules were asked. */
  readonly rule: number | 'default' | undefined
  /** What the rule did: `forward`, `redirect` or `fixed-response`. */
  readonly action: string | undefined
  readonly redirectUrl: string | undefined
  readonly targetGroup: string | undefined
  readonly target: string | undefined
  /** `host:port` of a target reached over the network. */
  readonly targetAddress: string | undefined
  readonly status: number
  readonly targetStatus: number | undefined
  readonly receivedBytes: number
  readonly sentBytes: number
  readonly startedAt: number
  /** When the request went to its target. */
  readonly routedAt: number | undefined
  /** When the target's answer began. */
  readonly answeredAt: number | undefined
  readonly durationMs: number
  readonly traceId: string
  readonly connectionTraceId: string
  readonly tls: AccessTls | undefined
  /** Whether its target was chosen among unhealthy ones too. */
  readonly isFailOpen: boolean
  /** Whether its target group is sticky and had to choose a new target for it. */
  readonly isNonSticky: boolean
  /** Why the balancer answered itself. */
  readonly failure: string | undefined
  /** In AWS's own names: `LambdaTimeout`, … */
  readonly errorReason: string | undefined
  readonly classification: string | undefined
  readonly classificationReason: string | undefined
  /** What a rule's transforms have made of host and URL. */
  readonly transformedHost: string | undefined
  readonly transformedUrl: string | undefined
}

export interface AccessTls {
  readonly cipher: string
  readonly protocol: string
  /** The name that the client asked for. */
  readonly serverName: string | undefined
  readonly certificateArn: string
  /** Whether the handshake went on with an earlier session. */
  readonly isReused: boolean
}

export interface EventStream {
  emit(event: EnvironmentEvent): void
  /** Calls `reader` for every later event; returns the function that ends it. */
  read(reader: (event: EnvironmentEvent) => void): () => void
  /** The first event of a type, past or future, that matches; rejects when there is none for too long. */
  next<T extends EventType>(type: T, options?: NextOptions<T>): Promise<EventOf<T>>
  /** Past events of one type, oldest first; only the last several hundred of each type are kept. */
  of<T extends EventType>(type: T): readonly EventOf<T>[]
}

type EventType = EnvironmentEvent['type']
type EventOf<T extends EventType> = Extract<EnvironmentEvent, { readonly type: T }>

export interface NextOptions<T extends EventType> {
  /** All of the type when absent. */
  readonly where?: (event: EventOf<T>) => boolean
  /** Of real time, also where the environment's clock stands still: whoever waits does not live in there. 10 s when absent. */
  readonly timeoutMs?: number
}

const NEXT_TIMEOUT_MS = 10_000

/**
 * At most, of each type: a flood of requests must not push out that a part has started. Enough for any test and for a
 * late reader, and few enough that most are gone before the garbage collector would move them: keeping 4,096 made
 * every request through the balancer an eighth slower.
 */
const KEPT_OF_EACH_TYPE = 1_024

export function createEventStream(): EventStream {
  const readers = new Set<(event: EnvironmentEvent) => void>()
  const kept = new Map<EventType, EnvironmentEvent[]>()

  function keep(event: EnvironmentEvent): void {
    const alike = kept.get(event.type)
    if (!alike) return void kept.set(event.type, [event])
    alike.push(event)
    // Half of them at a time: moving them all for every event would cost more than the event.
    if (alike.length > KEPT_OF_EACH_TYPE) alike.splice(0, KEPT_OF_EACH_TYPE / 2)
  }

  function read(reader: (event: EnvironmentEvent) => void): () => void {
    readers.add(reader)
    return () => readers.delete(reader)
  }

  function of<T extends EventType>(type: T): EventOf<T>[] {
    // The key is the type of all that is kept under it.
    return [...(kept.get(type) ?? [])] as EventOf<T>[]
  }

  return {
    emit(event) {
      keep(event)
      for (const reader of readers) reader(event)
    },
    read,
    next(type, { where = () => true, timeoutMs = NEXT_TIMEOUT_MS } = {}) {
      const past = of(type).find(where)
      if (past) return Promise.resolve(past)
      return new Promise((resolve, reject) => {
        const end = read((event) => {
          if (!isOf(type, event) || !where(event)) return
          end()
          timer.cancel()
          resolve(event)
        })
        const timer = systemClock.after(timeoutMs, () => {
          end()
          reject(new Error(`No ${type} within ${timeoutMs} ms that matches. ${describeLast(of(type))}`))
        })
      })
    },
    of,
  }
}

function isOf<T extends EventType>(type: T, event: EnvironmentEvent): event is EventOf<T> {
  return event.type === type
}

function describeLast(events: readonly EnvironmentEvent[]): string {
  const last = events.at(-1)
  return last ? `There were ${events.length}, the last one: ${inspect(last)}` : 'There was none at all.'
}
