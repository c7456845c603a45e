import type { IncomingMessage } from 'node:http'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { WebSocket } from 'ws'
import type { Accounts } from '../../account/accounts.ts'
import type { Account } from '../../account/key-check.ts'
import { keysFrom } from '../../account/keys.ts'
import type { Lease } from '../../account/leases.ts'
import { ApiError } from '../../wire/api-error.ts'
import type { Clock } from '../../wire/clock.ts'
import type { InFlight } from '../../wire/in-flight.ts'
import type { Query } from '../../wire/query.ts'
import type { SpeechServer } from '../../wire/speech-servers.ts'
import type { WsProxyConfig } from '../config.ts'
import { assertHandshake } from '../domain/handshake.ts'
import { createMessages } from '../domain/messages.ts'
import { parseStreamQuery, type StreamRequest } from '../domain/stream-query.ts'
import { type LiveStream, startLiveStream } from '../live-stream.ts'
import { reopenSpeech } from '../reopen-speech.ts'
import { createSpeechLine } from '../speech-line.ts'
import { openSpeech, type SpeechSocket } from '../speech-socket.ts'

export interface ListenDeps {
  readonly config: WsProxyConfig
  readonly clock: Clock
  readonly accounts: Accounts
  /** All speech servers, in the order to try them. */
  readonly speechServers: () => readonly SpeechServer[]
  readonly inFlight: InFlight
  /** The streams that are open. */
  readonly streams: Set<OpenStream>
}

export interface OpenStream extends LiveStream {
  /** The place it holds among its organisation's connections. */
  readonly lease: Lease
}

/** The documented paths, and those of the architecture's diagrams (aldea-api §1.2). */
const PATHS = ['/v1/listen', '/v1/listen/pcm', '/listen', '/listen/v1']

/** Everything a stream needs, obtained before its client gets its 101. */
interface Admission {
  readonly account: Account
  readonly lease: Lease
  readonly speech: SpeechSocket
  readonly stream: StreamRequest
  /** No longer in flight. */
  readonly end: () => void
}

type ListenRequest = FastifyRequest<{ Querystring: Query }>

/**
 * Live transcription. Key, parameters, limits and speech server are settled while a refusal can still be a plain HTTP
 * answer; once the socket is open only audio can go wrong.
 */
export function listenRoutes(app: FastifyInstance, deps: ListenDeps): void {
  const admissions = new WeakMap<IncomingMessage, Admission>()

  for (const url of PATHS) {
    app.route<{ Querystring: Query }>({
      method: 'GET',
      url,
      exposeHeadRoute: false,
      async preValidation(request, reply) {
        if (!request.ws) return
        reply.header('connection', 'close')
        const admission = await admit(request, deps, url.endsWith('/pcm'))
        admissions.set(request.raw, admission)
        // Between here and the 101 the client may leave; nobody else would notice.
        request.raw.socket.once('close', () => {
          if (admissions.delete(request.raw)) withdraw(admission)
        })
      },
      handler() {
        throw new ApiError(426, 'This path is for WebSocket upgrades; files are sent to it with POST.')
      },
      wsHandler(client, request) {
        const admission = admissions.get(request.raw)
        admissions.delete(request.raw)
        if (admission) serve(client, request, { ...admission, deps })
        else client.terminate()
      },
    })
  }
}

async function admit(request: ListenRequest, deps: ListenDeps, isPcm: boolean): Promise<Admission> {
  const { config, clock, accounts, speechServers, inFlight } = deps
  const end = inFlight.begin()
  try {
    const account = await accounts.admit(keysFrom(request.headers))
    const stream = parseStreamQuery(request.query, { compat: config.compat, isPcm })
    assertHandshake(request.headers)
    const lease = await accounts.openConnection(account, request.id)
    try {
      return { account, lease, stream, end, speech: await openSpeech(speechServers(), stream.speech, clock) }
    } catch (error) {
      await lease.release()
      throw error
    }
  } catch (error) {
    end()
    throw error
  }
}

function withdraw({ lease, speech, end }: Admission): void {
  speech.socket.terminate()
  void lease.release().finally(end)
}

interface Served extends Admission {
  readonly deps: ListenDeps
}

function serve(client: WebSocket, request: ListenRequest, served: Served): void {
  const { account, lease, speech, stream, end, deps } = served
  const { config, clock, accounts, speechServers, streams } = deps
  const { compat, channels } = stream
  const { organisation, keyHash } = account
  const { id, routeOptions } = request
  const { url: path = '' } = routeOptions

  // A client that closes gets its place back at once, not when the speech server has counted.
  client.once('close', () => void lease.release())
  const live = startLiveStream({
    client,
    speech: createSpeechLine({
      first: speech,
      query: stream.speech,
      reopen(resume, signal) {
        const query = { ...stream.speech, ...resume }
        return reopenSpeech(() => openSpeech(speechServers(), query, clock), { clock, signal })
      },
      onFailover: (from, to) => request.log.warn({ from, to }, 'a stream goes on at another speech server'),
    }),
    messages: createMessages({ requestId: id, model: speech.model, channels, compat }),
    clock,
    idleTimeoutMs: config.idleTimeoutMs,
    async ended(seconds) {
      streams.delete(open)
      await Promise.all([
        lease.release(),
        accounts.record({ id, organisation, keyHash, kind: 'stream', path, seconds, at: clock.now() }),
      ])
      end()
    },
  })
  const open = { ...live, lease }
  streams.add(open)
}
