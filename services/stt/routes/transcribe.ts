import type { FastifyInstance } from 'fastify'
import { parseFileQuery } from '../domain/query.ts'
import type { Query } from '../domain/query.ts'
import { readBody } from './read-body.ts'
import { assertAccepting } from './context.ts'
import type { RouteContext } from './context.ts'

/** POST /transcribe: an audio file as body, whatever type it claims to be, its words as answer. */
export function transcribeRoute(app: FastifyInstance, context: RouteContext): void {
  const { config, engine, inFlight } = context

  app.post<{ Querystring: Query }>('/transcribe', async (request, reply) => {
    assertAccepting(context)
    const end = inFlight.begin('files')
    const left = new AbortController()
    reply.raw.once('close', () => {
      if (!reply.raw.writableFinished) left.abort(new Error('The client has left.'))
      end()
    })
    const options = parseFileQuery(request.query, engine)
    const bytes = await readBody(request.raw, config.maxBodyBytes)
    return engine.transcribe({ bytes }, { ...options, signal: left.signal })
  })
}
