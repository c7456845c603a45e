import fastifyWebsocket from '@fastify/websocket'
import Fastify, { LogController } from 'fastify'
import type { FastifyInstance } from 'fastify'
import { parseConfig } from './config.ts'
import { createInFlight } from './domain/in-flight.ts'
import { createUploadMemory } from './domain/upload-memory.ts'
import type { SpeechEngine } from './engines/port.ts'
import { startEngine } from './engines/start-engine.ts'
import { answerErrors } from './routes/errors.ts'
import type { RouteContext } from './routes/context.ts'
import { healthRoute } from './routes/health.ts'
import { statsRoute } from './routes/stats.ts'
import { streamRoute } from './routes/stream.ts'
import { transcribeRoute } from './routes/transcribe.ts'
import { systemClock } from '../wire/clock.ts'
import type { Log } from '../wire/log.ts'
import type { Running, Runtime, Variables } from '../wire/runtime.ts'

// Larger single messages are no live audio: this is a quarter of an hour of 16 kHz in one frame.
const MAX_FRAME_BYTES = 32 << 20
/** How long a stop waits for work to end by itself: real time, also where the emulated world's clock stands still. */
const STOP_DEADLINE_MS = 400

/** A speech server: `services/wire/speech.ts` over HTTP and WebSocket. Starts when its model is loaded. */
export async function start(variables: Variables, runtime: Runtime): Promise<Running> {
  const config = parseConfig(variables)
  const { clock } = runtime
  const log: Log = runtime.log.child({ server: config.serverName })
  const engine = await startEngine(config, { ...runtime, log })
  try {
    const context: RouteContext = {
      config,
      engine,
      clock,
      inFlight: createInFlight(),
      uploadMemory: createUploadMemory(),
    }
    const app = await createApp(context, log)
    return { ...running(app, context), about: describe(engine) }
  } catch (error) {
    await engine.stop()
    throw error
  }
}

function describe({ model, device }: SpeechEngine): string {
  return device === undefined ? model.name : `${model.name} on ${device.name}`
}

async function createApp(context: RouteContext, log: Log): Promise<FastifyInstance> {
  const app = Fastify({ loggerInstance: log, logController: new LogController({ disableRequestLogging: true }) })
  // Bodies are audio whatever their type says; the route reads them itself, within its limit.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
  answerErrors(app)
  await app.register(fastifyWebsocket, { options: { maxPayload: MAX_FRAME_BYTES } })
  healthRoute(app, context)
  statsRoute(app, context)
  transcribeRoute(app, context)
  streamRoute(app, context)
  await app.ready()
  return app
}

function running(app: FastifyInstance, { engine, inFlight }: RouteContext): Running {
  let stopping: Promise<void> | undefined

  async function stop(): Promise<void> {
    await within(STOP_DEADLINE_MS, inFlight.drain())
    // 1001: the server is going away. Whoever does not answer the close is cut off.
    for (const socket of app.websocketServer.clients) socket.close(1001)
    app.server.closeIdleConnections()
    await within(STOP_DEADLINE_MS, inFlight.drain())
    cutOff(app)
    await app.close()
    await engine.stop()
  }

  return {
    server: app.server,
    drain: () => inFlight.drain(),
    stop: () => (stopping ??= stop()),
    kill() {
      cutOff(app)
      app.server.close()
      void release(engine)
    },
  }
}

function cutOff(app: FastifyInstance): void {
  for (const socket of app.websocketServer.clients) socket.terminate()
  app.server.closeAllConnections()
}

async function release(engine: SpeechEngine): Promise<void> {
  await engine.stop().catch(() => undefined)
}

async function within(ms: number, work: Promise<void>): Promise<void> {
  const done = new AbortController()
  await Promise.race([work, systemClock.sleep(ms, done.signal).catch(() => undefined)])
  done.abort()
}
