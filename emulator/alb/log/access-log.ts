import type { EventStream } from '../../core/events.ts'
import { toLogLine } from './line.ts'
import { type LogFilesOptions, type LogLimits, type LogLine, openLogFiles } from './log-file.ts'

export interface AccessLogOptions extends Omit<LogFilesOptions, 'limits'> {
  readonly events: EventStream
  readonly limits?: LogLimits
  /** Told once, when the disk takes no more; the log ends there and the balancer goes on. */
  readonly failed: (error: unknown) => void
}

/** A day of five minutes each, and 288 MiB at most. */
const LIMITS: LogLimits = { fileBytes: 1024 * 1024, files: 288 }

/** Like AWS's, the log is best effort: with a disk that cannot follow, lines beyond it are left out. */
const MAX_WAITING = 20_000

/** Writes a line for every request that ends. Resolves `stop` when all of them are in their file. */
export function startAccessLog(options: AccessLogOptions): { stop(): Promise<void> } {
  const { events, names, failed } = options
  const files = openLogFiles({ ...options, limits: options.limits ?? LIMITS })
  let waiting: LogLine[] = []
  let writing: Promise<void> | undefined
  let isBroken = false

  const unread = events.read((event) => {
    if (event.type !== 'alb.access' || isBroken || waiting.length >= MAX_WAITING) return
    waiting.push({ text: toLogLine(event.access, event.at, names), at: event.at })
    writing ??= write()
  })

  /** Whatever has come while the disk was busy goes there at once. */
  async function write(): Promise<void> {
    try {
      while (waiting.length > 0) {
        const lines = waiting
        waiting = []
        await files.append(lines)
      }
    } catch (error) {
      isBroken = true
      waiting = []
      failed(error)
    } finally {
      writing = undefined
    }
  }

  return {
    async stop() {
      unread()
      await writing
      await files.close()
    },
  }
}
