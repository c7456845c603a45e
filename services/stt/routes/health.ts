import type { FastifyInstance } from 'fastify'
import type { RouteContext } from './context.ts'

/** GET /health: 200 while the server takes work; `device` where its model computes. The server exists only once its model is loaded. */
export function healthRoute(app: FastifyInstance, { config, engine, inFlight }: RouteContext): void {
  app.get('/health', async (_request, reply) => {
    const status = inFlight.isDraining ? 'draining' : 'ok'
    const { model, device } = engine
    return reply
      .code(inFlight.isDraining ? 503 : 200)
      .send({ status, server: config.serverName, model, device: device?.name })
  })
}
