import type { FastifyInstance } from 'fastify'
import type { RouteContext } from './context.ts'

/** GET /stats: what is going on, how busy the workers are, where the model computes and why there, and the real-time factor so far (null before the first audio). */
export function statsRoute(app: FastifyInstance, { config, engine, inFlight }: RouteContext): void {
  app.get('/stats', async () => {
    const { audioSeconds, computeSeconds, load } = engine.figures()
    return {
      server: config.serverName,
      model: engine.model,
      device: engine.device,
      streams: inFlight.streams,
      files: inFlight.files,
      ...load,
      audioSeconds,
      rtf: audioSeconds > 0 ? computeSeconds / audioSeconds : null,
    }
  })
}
