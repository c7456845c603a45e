import type { FastifyInstance } from 'fastify'
import type { RawData, WebSocket } from 'ws'
import type { SpeechMessage } from '../../wire/speech.ts'
import { parseControl } from '../domain/control.ts'
import { parseStreamQuery } from '../domain/query.ts'
import type { Query } from '../domain/query.ts'
import type { StreamOptions } from '../engines/port.ts'
import { assertAccepting } from './context.ts'
import type { RouteContext } from './context.ts'
import { startIdleTimer } from './idle-timer.ts'

// Half a minute of 16 kHz audio: beyond it the client is read no further until some of it was heard.
const MAX_WAITING_BYTES = 1 << 20
// A client that reads nothing of what it is sent is gone in all but name.
const MAX_UNREAD_BYTES = 8 << 20

/** Close codes and reasons as the public API's clients know them. */
const CLOSE = {
  done: [1000, ''],
  undecodable: [1008, 'DATA-0000'],
  failed: [1011, 'NET-0000'],
  idle: [1011, 'NET-0001'],
} as const

/** GET /stream: a WebSocket with audio in and messages out. Bad parameters are refused before the upgrade. */
export function streamRoute(app: FastifyInstance, context: RouteContext): void {
  app.get<{ Querystring: Query }>(
    '/stream',
    {
      websocket: true,
      preValidation: async (request) => {
        assertAccepting(context)
        parseStreamQuery(request.query, context.engine)
      },
    },
    (socket, request) => serveStream(socket, parseStreamQuery(request.query, context.engine), context),
  )
}

function serveStream(
  socket: WebSocket,
  options: StreamOptions,
  { config, engine, clock, inFlight }: RouteContext,
): void {
  const end = inFlight.begin('streams')
  let isClosing = false
  let waitingBytes = 0
  send({ type: 'Open', model: engine.model })
  const stream = engine.openStream(options, send)
  const idle = startIdleTimer(clock, config.idleTimeoutMs, () => {
    // A client that we do not read cannot prove that it is alive.
    if (socket.isPaused) idle.touch()
    else leave(CLOSE.idle)
  })

  socket.on('message', (data, isBinary) => {
    if (isClosing) return
    idle.touch()
    if (isBinary) hear(toBytes(data))
    else obey(toBytes(data).toString('utf8'))
  })
  socket.on('close', () => {
    idle.cancel()
    stream.abort()
    end()
  })
  socket.on('error', () => socket.terminate())

  function send(message: SpeechMessage): void {
    if (socket.readyState !== socket.OPEN) return
    socket.send(JSON.stringify(message))
    if (message.type === 'Failure') leave(message.status === 415 ? CLOSE.undecodable : CLOSE.failed)
    else if (socket.bufferedAmount > MAX_UNREAD_BYTES) socket.terminate()
  }

  function hear(audio: Buffer): void {
    if (audio.length === 0) return
    waitingBytes += audio.length
    if (waitingBytes > MAX_WAITING_BYTES) socket.pause()
    void stream.write(audio).then(() => {
      waitingBytes -= audio.length
      if (socket.isPaused && waitingBytes <= MAX_WAITING_BYTES / 2) socket.resume()
    })
  }

  function obey(text: string): void {
    const type = parseControl(text)
    if (type === 'Finalize') stream.finalize()
    if (type !== 'CloseStream') return
    isClosing = true
    idle.cancel()
    void stream.close().then(() => leave(CLOSE.done))
  }

  function leave([code, reason]: readonly [number, string]): void {
    isClosing = true
    idle.cancel()
    if (socket.isPaused) socket.resume()
    socket.close(code, reason)
  }
}

function toBytes(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data)
}
