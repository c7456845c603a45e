import type { IncomingMessage } from 'node:http'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest, LogController } from 'fastify'
import { ApiError, type ApiStatus, unavailable } from './api-error.ts'
import type { Clock } from './clock.ts'
import type { InFlight } from './in-flight.ts'
import type { Runtime } from './runtime.ts'

/**
 * A Fastify instance in the dialect of the public API: every answer carries its request id, every error is
 * `{"error", "request_id"}`, `GET /health` says 200, or 503 while draining.
 */
export function createHttpApi(
  { clock, ids, log }: Pick<Runtime, 'clock' | 'ids' | 'log'>,
  inFlight: InFlight,
  sendRefusal: SendRefusal = sendPlainRefusal,
): FastifyInstance {
  const refuse = (error: Error, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const answer = toApiError(error)
    if (answer.status >= 500) request.log.error({ err: error, requestId: request.id }, 'request failed')
    if (answer.retryAfterSeconds !== undefined) reply.header('retry-after', answer.retryAfterSeconds)
    return sendRefusal(reply.code(answer.status), answer)
  }
  const app = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => ids.uuid(),
    frameworkErrors: (error, request, reply) => void refuse(error, request, reply),
  })

  app.addHook('onRequest', async (request, reply) => {
    reply.header(REQUEST_ID_HEADER, request.id)
    // An upgrade is counted by whoever serves its socket.
    if (request.headers.upgrade === undefined) reply.raw.once('close', inFlight.begin())
    if (inFlight.isDraining && request.url !== HEALTH_PATH) throw unavailable('The server is shutting down.')
  })
  app.addHook('onResponse', async ({ raw }) => discardRest(raw, clock))
  app.setErrorHandler<Error>((error, request, reply) => refuse(error, request, reply))
  app.setNotFoundHandler((request, reply) =>
    refuse(new ApiError(404, `There is no ${request.method} ${pathOf(request.url)}.`), request, reply),
  )
  app.get(HEALTH_PATH, { logLevel: 'silent' }, async (_request, reply) => {
    if (inFlight.isDraining) reply.code(503)
    return { status: inFlight.isDraining ? 'draining' : 'ok' }
  })
  return app
}

/** Long enough for a client to notice the answer and stop sending. */
const LINGER_MS = 2_000

/**
 * What is left of a body after its answer, such as 413, is read and dropped: a client that is still sending could not read
 * the answer otherwise, and a socket that nobody reads never notices that its client has gone.
 */
function discardRest(raw: IncomingMessage, clock: Clock): void {
  if (raw.complete || raw.destroyed) return
  const timer = clock.after(LINGER_MS, () => raw.socket.destroy())
  raw.once('close', () => timer.cancel())
  // Whoever was reading has stopped for good; while it listens, nothing flows.
  raw.removeAllListeners('readable')
  raw.resume()
}

/** Deepgram's name for it; its clients look there when a handshake fails. */
export const REQUEST_ID_HEADER = 'dg-request-id'

const HEALTH_PATH = '/health'

/** Words a refusal for the client; status and Retry-After are set already. */
export type SendRefusal = (reply: FastifyReply, error: ApiError) => FastifyReply

function sendPlainRefusal(reply: FastifyReply, { message }: ApiError): FastifyReply {
  return reply.send({ error: message, request_id: reply.request.id })
}

function toApiError(error: Error): ApiError {
  if (error instanceof ApiError) return error
  const status = 'statusCode' in error ? error.statusCode : undefined
  // What Fastify itself refuses, such as a body against the schema or a URL that cannot be decoded.
  if (isClientStatus(status)) return new ApiError(status, error.message)
  return new ApiError(500, 'Internal error.', { cause: error })
}

const CLIENT_STATUSES: readonly unknown[] = [400, 404, 413, 414, 415, 422] satisfies ApiStatus[]

function isClientStatus(status: unknown): status is ApiStatus {
  return CLIENT_STATUSES.includes(status)
}

function pathOf(url: string): string {
  return url.split('?', 1)[0] ?? url
}
