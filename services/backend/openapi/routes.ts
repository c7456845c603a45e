import type { FastifyInstance } from 'fastify'
import { type OpenApiDocument, type RouteEntry, toDocument } from './document.ts'
import { toPage } from './page.ts'

/** Nothing is loaded but the page itself. */
const PAGE_POLICY = `default-src 'none'; style-src 'unsafe-inline'`

/** Serves the document at /openapi.json and, for people, at /docs. Made when first asked for: the start pays nothing. */
export function addOpenApi(app: FastifyInstance, routes: readonly RouteEntry[]): void {
  let made: OpenApiDocument | undefined
  const document = (): OpenApiDocument => (made ??= toDocument(routes))
  app.get('/openapi.json', () => document())
  app.get('/docs', (_request, reply) => {
    reply.header('content-security-policy', PAGE_POLICY).type('text/html; charset=utf-8').send(toPage(document()))
  })
}
