import type { FastifyInstance } from 'fastify'
import { SpeechError } from '../errors.ts'

/** Every refusal of a speech server is a `SpeechFailure` in JSON. */
export function answerErrors(app: FastifyInstance): void {
  app.setErrorHandler((error, request, reply) => {
    const { status, message, retryAfterSeconds } = asRefusal(error)
    // A client that has left is nobody's fault, and nobody reads the answer.
    const level = request.raw.destroyed ? 'debug' : 'error'
    if (status >= 500) request.log[level]({ err: error }, 'request failed')
    if (retryAfterSeconds !== undefined) void reply.header('retry-after', retryAfterSeconds)
    return reply.code(status).send({ status, error: message })
  })
  app.setNotFoundHandler((request, reply) =>
    reply.code(404).send({ status: 404, error: `There is no ${request.method} ${request.url} here.` }),
  )
}

function asRefusal(error: unknown): SpeechError {
  if (error instanceof SpeechError) return error
  // Fastify's own: a malformed request.
  const isRequestFault = error instanceof Error && 'statusCode' in error && Number(error.statusCode) < 500
  return isRequestFault ? new SpeechError(400, error.message) : new SpeechError(500, 'Recognition failed.')
}
