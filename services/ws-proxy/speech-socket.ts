import type { IncomingMessage } from 'node:http'
import { WebSocket } from 'ws'
import { ApiError, unavailable } from '../wire/api-error.ts'
import type { Clock } from '../wire/clock.ts'
import type { SpeechFailure, SpeechMessage, SpeechModel, SpeechQuery } from '../wire/speech.ts'
import type { SpeechServer } from '../wire/speech-servers.ts'

/** A stream opened at a speech server. */
export interface SpeechSocket {
  readonly socket: WebSocket
  readonly server: SpeechServer
  readonly model: SpeechModel
  /** Hands over everything that has come since `Open`, and all that follows. Once. */
  listen(listener: SpeechListener): void
}

export interface SpeechListener {
  onMessage(message: SpeechMessage): void
  onClose(close: { code: number; reason: string }): void
}

/** From the connection to `Open`. A loaded server answers in milliseconds. */
const OPEN_TIMEOUT_MS = 5_000
/** Longer refusals are no refusals of a speech server. */
const MAX_REFUSAL_BYTES = 64 * 1024

/**
 * Opens a stream at the first of `servers` that takes it.
 * @throws ApiError: the server's own refusal of the request, or 503 when none can take it.
 */
export async function openSpeech(
  servers: readonly SpeechServer[],
  query: SpeechQuery,
  clock: Clock,
): Promise<SpeechSocket> {
  let cause: unknown
  for (const server of servers) {
    try {
      return await openAt(server, query, clock)
    } catch (error) {
      // The request itself is at fault: no other server would take it either.
      if (error instanceof ApiError && error.status < 500) throw error
      cause = error
    }
  }
  throw unavailable('No speech server can take the stream.', cause)
}

function openAt(server: SpeechServer, query: SpeechQuery, clock: Clock): Promise<SpeechSocket> {
  const url = new URL('/stream', server.origin)
  url.protocol = url.protocol.replace('http', 'ws')
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, String(value))
  const socket = new WebSocket(url, { perMessageDeflate: false })
  // A listener for good: an error without one would end the process. 'close' always follows.
  socket.on('error', () => undefined)

  return new Promise<SpeechSocket>((resolve, reject) => {
    const timer = clock.deadline(OPEN_TIMEOUT_MS, () =>
      fail(new Error(`${server.name} did not open the stream in time.`)),
    )

    function fail(error: Error): void {
      settle()
      socket.terminate()
      reject(error)
    }
    function onMessage(data: Buffer): void {
      const message = parseSpeechMessage(data.toString())
      if (message?.type === 'Failure') return fail(toApiError(message))
      if (message?.type !== 'Open') return fail(new Error(`${server.name} did not begin with Open.`))
      settle()
      resolve({ socket, server, model: message.model, listen: createMailbox(socket) })
    }
    function onRefusal(_request: unknown, response: IncomingMessage): void {
      readRefusal(response).then(fail, fail)
    }
    function onClose(): void {
      fail(new Error(`${server.name} closed the stream before it was open.`))
    }
    function settle(): void {
      timer.cancel()
      socket.off('message', onMessage).off('unexpected-response', onRefusal).off('error', fail).off('close', onClose)
    }

    socket.on('message', onMessage).on('unexpected-response', onRefusal).on('error', fail).on('close', onClose)
  })
}

/** Keeps what a socket says until somebody listens. */
function createMailbox(socket: WebSocket): SpeechSocket['listen'] {
  const kept: ((listener: SpeechListener) => void)[] = []
  let taker: SpeechListener | undefined

  function deliver(letter: (listener: SpeechListener) => void): void {
    if (taker) letter(taker)
    else kept.push(letter)
  }

  socket.on('message', (data: Buffer) => {
    const message = parseSpeechMessage(data.toString())
    if (message) deliver((listener) => listener.onMessage(message))
  })
  socket.on('close', (code, reason) => deliver((listener) => listener.onClose({ code, reason: reason.toString() })))

  return (listener) => {
    taker = listener
    for (const letter of kept.splice(0)) letter(listener)
  }
}

/** A message of a speech server; undefined for anything else. */
function parseSpeechMessage(text: string): SpeechMessage | undefined {
  try {
    const value: unknown = JSON.parse(text)
    const isTyped = typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
    // The members are the speech server's promise: both sides are ours.
    return isTyped ? (value as SpeechMessage) : undefined
  } catch {
    return undefined
  }
}

async function readRefusal(response: IncomingMessage): Promise<Error> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response) {
    size += (chunk as Buffer).length
    if (size > MAX_REFUSAL_BYTES) break
    chunks.push(chunk as Buffer)
  }
  const body: unknown = JSON.parse(Buffer.concat(chunks).toString())
  return isFailure(body) ? toApiError(body) : new Error(`The speech server answered ${response.statusCode}.`)
}

function toApiError({ status, error }: SpeechFailure): ApiError {
  return new ApiError(status, error)
}

const STATUSES: readonly unknown[] = [400, 413, 415, 422, 429, 500, 503] satisfies SpeechFailure['status'][]

function isFailure(body: unknown): body is SpeechFailure {
  if (typeof body !== 'object' || body === null) return false
  return 'status' in body && STATUSES.includes(body.status) && 'error' in body && typeof body.error === 'string'
}
