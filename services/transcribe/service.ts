import cors from '@fastify/cors'
import { connectAccounts } from '../account/accounts.ts'
import { createHttpApi, REQUEST_ID_HEADER } from '../wire/http-api.ts'
import { createInFlight } from '../wire/in-flight.ts'
import { runningHttp } from '../wire/running-http.ts'
import type { StartService } from '../wire/runtime.ts'
import { readConfig } from './config.ts'
import { isJson, listenRoutes } from './routes/listen.ts'
import { createSpeechClient } from './speech-client.ts'

/** The HTTP proxy: checks the key, sends a whole file to a speech server, answers in the public API's shape. */
export const start: StartService = async (variables, runtime) => {
  const config = readConfig(variables)
  const accounts = await connectAccounts(config.redisUrl, runtime)
  const speech = createSpeechClient(config.speechServers)
  const inFlight = createInFlight()
  const ending = new AbortController()
  const app = createHttpApi(runtime, inFlight)

  await app.register(cors, { exposedHeaders: [REQUEST_ID_HEADER, 'retry-after'] })
  // Bodies are passed on as they arrive: nothing here may read them.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, _payload, done) => done(null))
  app.addHook('onRequest', async ({ headers }) => {
    // Clients send names such as "wave", which Fastify would refuse as malformed. All but JSON is audio.
    if (!isJson(headers)) headers['content-type'] = 'application/octet-stream'
  })
  listenRoutes(app, { config, clock: runtime.clock, accounts, speech, ending: ending.signal })
  await app.ready()

  return runningHttp({
    app,
    inFlight,
    stopDeadlineMs: config.stopDeadlineMs,
    cut: () => ending.abort(),
    sever: () => Promise.resolve(),
    async release() {
      await speech.stop()
      await accounts.stop()
    },
    abandon() {
      ending.abort()
      speech.abandon()
      accounts.abandon()
    },
  })
}
