import type { Log } from '../../services/wire/log.ts'
import { LOG_TAIL_BYTES } from './limits.ts'

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const
type Level = (typeof LEVELS)[number]
type Fields = Readonly<Record<string, unknown>>

/** The end of the log of one invocation. */
export interface LogTail {
  add(line: string): void
  /** The last 4 KB, in base64. */
  encoded(): string
}

export function createLogTail(): LogTail {
  let text = ''
  return {
    add(line) {
      text += `${line}\n`
      // Characters are no longer than bytes, so what is cut is never needed.
      if (text.length > 2 * LOG_TAIL_BYTES) text = text.slice(-LOG_TAIL_BYTES)
    },
    encoded: () => Buffer.from(text).subarray(-LOG_TAIL_BYTES).toString('base64'),
  }
}

/** A log that also hands every line, as the text format has it after time and request id, to `sink`. */
export function withSink(log: Log, sink: (line: string) => void): Log {
  const threshold = LEVELS.findIndex((level) => level === log.level)
  return sunk(log, (level, text) => {
    // `silent` and levels of somebody's own let nothing through.
    if (threshold !== -1 && LEVELS.indexOf(level) >= threshold) sink(`${level.toUpperCase()}\t${text}`)
  })
}

function sunk(log: Log, sink: (level: Level, text: string) => void, bound: Fields = {}): Log {
  const write =
    (level: Level) =>
    (first: unknown, ...rest: unknown[]): void => {
      // The overloads of a pino log take any fields and any text.
      const pass: (...parts: unknown[]) => void = log[level].bind(log)
      pass(first, ...rest)
      sink(level, textOf(first, rest, bound))
    }
  return {
    level: log.level,
    trace: write('trace'),
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    fatal: write('fatal'),
    silent: () => undefined,
    child: (bindings) => sunk(log.child(bindings), sink, { ...bound, ...bindings }),
  }
}

function textOf(first: unknown, rest: readonly unknown[], bound: Fields): string {
  const given = first instanceof Error ? { err: first } : typeof first === 'object' && first !== null ? first : {}
  const fields = { ...bound, ...given }
  const text = [first, rest[0]].find((part) => typeof part === 'string') ?? ''
  return Object.keys(fields).length === 0 ? text : `${text} ${JSON.stringify(fields, plain)}`.trimStart()
}

function plain(_name: string, value: unknown): unknown {
  if (value instanceof Error) return value.stack ?? value.message
  return typeof value === 'bigint' ? String(value) : value
}
