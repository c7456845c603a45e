import websocket from '@fastify/websocket'
import { connectAccounts } from '../account/accounts.ts'
import { selectProtocol } from '../account/keys.ts'
import { createHttpApi } from '../wire/http-api.ts'
import { createInFlight } from '../wire/in-flight.ts'
import { runningHttp } from '../wire/running-http.ts'
import type { StartService } from '../wire/runtime.ts'
import { createTurns } from '../wire/speech-servers.ts'
import { readConfig } from './config.ts'
import { CLOSE } from './domain/close.ts'
import { listenRoutes, type OpenStream } from './routes/listen.ts'

/** The WebSocket proxy: checks the key, joins the client to a speech server, answers in the public API's shape. */
export const start: StartService = async (variables, runtime) => {
  const config = readConfig(variables)
  const { clock } = runtime
  const accounts = await connectAccounts(config.redisUrl, runtime)
  const streams = new Set<OpenStream>()
  const inFlight = createInFlight()
  const app = createHttpApi(runtime, inFlight)

  await app.register(websocket, {
    options: { maxPayload: config.maxFrameBytes, perMessageDeflate: false, handleProtocols: selectProtocol },
    // A broken client is no trouble of ours; its stream sees the socket close.
    errorHandler: (_error, socket) => socket.terminate(),
  })
  listenRoutes(app, { config, clock, accounts, speechServers: createTurns(config.speechServers), inFlight, streams })
  await app.ready()

  return runningHttp({
    app,
    inFlight,
    stopDeadlineMs: config.stopDeadlineMs,
    cut() {
      for (const stream of streams) stream.close(CLOSE.leaving)
    },
    async sever() {
      await Promise.all([...streams].map((stream) => stream.giveUp()))
      for (const client of app.websocketServer.clients) client.terminate()
    },
    release: () => accounts.stop(),
    abandon() {
      for (const stream of streams) {
        stream.lease.abandon()
        stream.destroy()
      }
      accounts.abandon()
    },
  })
}
