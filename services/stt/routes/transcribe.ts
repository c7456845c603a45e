import type { IncomingMessage } from 'node:http'
import type { FastifyInstance } from 'fastify'
import { parseFileQuery } from '../domain/query.ts'
import type { Query } from '../domain/query.ts'
import type { Upload } from '../domain/upload-memory.ts'
import { readBody } from './read-body.ts'
import { assertAccepting } from './context.ts'
import type { RouteContext } from './context.ts'

/** POST /transcribe: an audio file as body, whatever type it claims to be, its words as answer. */
export function transcribeRoute(app: FastifyInstance, context: RouteContext): void {
  const { config, engine, inFlight, uploadMemory } = context

  function beginUpload(body: IncomingMessage): Upload {
    try {
      return uploadMemory.begin()
    } catch (error) {
      // Read and thrown away, so that the client gets to see the answer.
      body.resume()
      throw error
    }
  }

  app.post<{ Querystring: Query }>('/transcribe', async (request, reply) => {
    assertAccepting(context)
    const upload = beginUpload(request.raw)
    const end = inFlight.begin('files')
    const left = new AbortController()
    reply.raw.once('close', () => {
      if (!reply.raw.writableFinished) left.abort(new Error('The client has left.'))
      upload.end()
      end()
    })
    const options = parseFileQuery(request.query, engine)
    const bytes = await readBody(request.raw, config.maxBodyBytes, upload)
    return engine.transcribe({ bytes }, { ...options, signal: left.signal, hold: upload.hold })
  })
}
