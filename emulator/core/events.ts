/** Everything that happens in an environment, as one typed stream. Producers never know their readers. */
export type EnvironmentEvent =
  | { readonly type: 'part.starting'; readonly at: number; readonly part: string }
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

/** One request through the balancer, written when its response or its socket has ended. */
export interface AccessRecord {
  readonly kind: 'http' | 'ws'
  readonly client: string
  readonly method: string
  readonly host: string
  readonly path: string
  /** Undefined for what was refused before the rules were asked. */
  readonly rule: number | 'default' | undefined
  readonly targetGroup: string | undefined
  readonly target: string | undefined
  readonly status: number
  readonly receivedBytes: number
  readonly sentBytes: number
  readonly durationMs: number
  readonly traceId: string
}

export interface EventStream {
  emit(event: EnvironmentEvent): void
  /** Calls `reader` for every later event; returns the function that ends it. */
  read(reader: (event: EnvironmentEvent) => void): () => void
  /** The first event, past or future, that matches; rejects after `timeoutMs`. */
  next<E extends EnvironmentEvent>(matches: (event: EnvironmentEvent) => event is E, timeoutMs: number): Promise<E>
  /** Past events of one type, oldest first; only the last few thousand of all types are kept. */
  of<T extends EnvironmentEvent['type']>(type: T): readonly Extract<EnvironmentEvent, { type: T }>[]
}

/** Enough for any test and for a late reader, small enough to forget about: about 2 MB. */
const KEPT_EVENTS = 4_096

export function createEventStream(clock: { after(ms: number, run: () => void): { cancel(): void } }): EventStream {
  const readers = new Set<(event: EnvironmentEvent) => void>()
  const kept: EnvironmentEvent[] = []

  function read(reader: (event: EnvironmentEvent) => void): () => void {
    readers.add(reader)
    return () => readers.delete(reader)
  }

  return {
    emit(event) {
      kept.push(event)
      // Half of them at a time: moving thousands of places for every event would cost more than the event.
      if (kept.length > KEPT_EVENTS) kept.splice(0, KEPT_EVENTS / 2)
      for (const reader of readers) reader(event)
    },
    read,
    next(matches, timeoutMs) {
      const past = kept.find(matches)
      if (past) return Promise.resolve(past)
      return new Promise((resolve, reject) => {
        const end = read((event) => {
          if (!matches(event)) return
          end()
          timer.cancel()
          resolve(event)
        })
        const timer = clock.after(timeoutMs, () => {
          end()
          reject(new Error(`No matching event within ${timeoutMs} ms.`))
        })
      })
    },
    of: <T extends EnvironmentEvent['type']>(type: T) =>
      kept.filter((event): event is Extract<EnvironmentEvent, { type: T }> => event.type === type),
  }
}
