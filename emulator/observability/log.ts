import type { Clock } from '../../services/wire/clock.ts'
import type { Log } from '../../services/wire/log.ts'
import type { EventStream } from '../core/events.ts'

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const
type Level = (typeof LEVELS)[number]

export interface LogDeps {
  readonly events: EventStream
  readonly clock: Clock
  readonly part: string
  /** Lines below it are dropped. */
  readonly level: Level
}

/** A service's log, written as `log` events of its environment. */
export function createLog(deps: LogDeps, bound: Readonly<Record<string, unknown>> = {}): Log {
  const { events, clock, part, level } = deps
  const threshold = LEVELS.indexOf(level)

  const write =
    (name: Level) =>
    (first: unknown, ...rest: unknown[]): void => {
      if (LEVELS.indexOf(name) < threshold) return
      const fields = { ...bound, ...fieldsOf(first) }
      const text = typeof first === 'string' ? first : typeof rest[0] === 'string' ? rest[0] : ''
      events.emit({ type: 'log', at: clock.now(), part, level: name, text, fields })
    }

  return {
    level,
    trace: write('trace'),
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    fatal: write('fatal'),
    silent: () => undefined,
    child: (bindings) => createLog(deps, { ...bound, ...bindings }),
  }
}

/** Pino's convention: an object first holds fields, an error first is the field `err`. */
function fieldsOf(first: unknown): Record<string, unknown> {
  if (first instanceof Error) return { err: first }
  return typeof first === 'object' && first !== null ? { ...first } : {}
}
