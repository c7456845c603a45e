import { Readable } from 'node:stream'
import { Agent, request } from '../wire/undici.ts'
import { ApiError, unavailable } from '../wire/api-error.ts'
import type { SpeechFailure, SpeechQuery, Transcript } from '../wire/speech.ts'
import { createTurns, type SpeechServer } from '../wire/speech-servers.ts'
import type { AudioBody } from './body.ts'

/** The speech servers as one. */
export interface SpeechClient {
  /** @throws ApiError: the speech server's own refusal, or 503 when none answers. */
  transcribe(body: AudioBody, query: SpeechQuery, signal: AbortSignal): Promise<Transcript>
  stop(): Promise<void>
  abandon(): void
}

const CONNECT_TIMEOUT_MS = 2_000

export function createSpeechClient(servers: readonly SpeechServer[]): SpeechClient {
  const turns = createTurns(servers)
  // Recognition takes as long as it takes; a client that has waited enough hangs up.
  const agent = new Agent({ connect: { timeout: CONNECT_TIMEOUT_MS }, headersTimeout: 0, bodyTimeout: 0 })

  async function ask(server: SpeechServer, body: AudioBody, query: SpeechQuery, signal: AbortSignal): Promise<Answer> {
    const url = new URL('/transcribe', server.origin)
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, String(value))
    const answer = await request(url, {
      method: 'POST',
      headers: { 'content-type': 'application/octet-stream' },
      // One chunk ahead: the speech server's pace is the client's pace.
      body: Readable.from(body.chunks(), { highWaterMark: 1 }),
      dispatcher: agent,
      signal,
    })
    return { status: answer.statusCode, body: await answer.body.json() }
  }

  return {
    async transcribe(body, query, signal) {
      let cause: unknown
      for (const server of turns()) {
        try {
          return toTranscript(await ask(server, body, query, signal))
        } catch (error) {
          if (error instanceof ApiError) throw error
          signal.throwIfAborted()
          cause = error
          if (body.isStarted) break
        }
      }
      throw unavailable('No speech server answers.', cause)
    },
    stop: () => agent.close(),
    abandon: () => void agent.destroy(),
  }
}

interface Answer {
  readonly status: number
  readonly body: unknown
}

function toTranscript({ status, body }: Answer): Transcript {
  if (status === 200 && isTranscript(body)) return body
  if (!isFailure(body)) throw new ApiError(500, 'The speech server answered nonsense.')
  const mayHelp = body.status === 429 || body.status === 503
  throw new ApiError(body.status, body.error, mayHelp ? { retryAfterSeconds: 1 } : {})
}

function isTranscript(body: unknown): body is Transcript {
  return isRecord(body) && typeof body['audioSeconds'] === 'number' && Array.isArray(body['words'])
}

const FAILURES: readonly unknown[] = [400, 413, 415, 422, 429, 500, 503] satisfies SpeechFailure['status'][]

function isFailure(body: unknown): body is SpeechFailure {
  return isRecord(body) && FAILURES.includes(body['status']) && typeof body['error'] === 'string'
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
