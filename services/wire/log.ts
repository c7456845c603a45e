import type { FastifyBaseLogger } from 'fastify'

/** The structured logger of a service: pino's shape, event name last, fields first. */
export type Log = FastifyBaseLogger

/** A log that drops everything, for tests and for callers that do not care. */
export const silentLog: Log = {
  level: 'silent',
  fatal: ignore,
  error: ignore,
  warn: ignore,
  info: ignore,
  debug: ignore,
  trace: ignore,
  silent: ignore,
  child: () => silentLog,
}

function ignore(): void {}
