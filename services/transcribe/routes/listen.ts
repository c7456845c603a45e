import type { IncomingHttpHeaders } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Accounts } from '../../account/accounts.ts'
import { keysFrom } from '../../account/keys.ts'
import { ApiError, unavailable } from '../../wire/api-error.ts'
import type { Clock } from '../../wire/clock.ts'
import type { Query } from '../../wire/query.ts'
import type { Transcript } from '../../wire/speech.ts'
import { assertSize, openBody } from '../body.ts'
import type { TranscribeConfig } from '../config.ts'
import { toAnswer } from '../domain/answer.ts'
import { type FileRequest, parseFileQuery } from '../domain/file-query.ts'
import { fetchAudio, readUrl } from '../remote-audio.ts'
import type { SpeechClient } from '../speech-client.ts'

export interface ListenDeps {
  readonly config: TranscribeConfig
  readonly clock: Clock
  readonly accounts: Accounts
  readonly speech: SpeechClient
  /** Aborted when the service ends. */
  readonly ending: AbortSignal
}

/** The documented path, its aliases, and those of the architecture's diagrams (aldea-api §1.2). */
const PATHS = [
  '/v1/listen',
  '/v1/listen/media',
  '/v1/listen/media/transcribe',
  '/v1/listen/media/transcribe_file',
  '/listen',
  '/listen/v1',
]
/** Older clients, which read nothing but `text`. */
const LEGACY_PATHS = ['/transcribe', '/asr/transcribe']

type ListenRequest = FastifyRequest<{ Querystring: Query }>

/** Pre-recorded transcription. */
export function listenRoutes(app: FastifyInstance, deps: ListenDeps): void {
  for (const path of PATHS) {
    app.post<{ Querystring: Query }>(path, async (request, reply) => {
      const { transcript, file } = await transcribe(request, reply, deps)
      const { compat, detectLanguage } = file
      const timestamps = request.headers['timestamps']?.toString().toLowerCase() === 'true'
      const createdAt = deps.clock.now()
      return toAnswer(transcript, { requestId: request.id, createdAt, compat, timestamps, detectLanguage })
    })
  }
  for (const path of LEGACY_PATHS) {
    app.post<{ Querystring: Query }>(path, async (request, reply) => {
      const { transcript } = await transcribe(request, reply, deps)
      return { text: transcript.text }
    })
  }
}

interface Transcribed {
  readonly transcript: Transcript
  readonly file: FileRequest
}

async function transcribe(request: ListenRequest, reply: FastifyReply, deps: ListenDeps): Promise<Transcribed> {
  const { config, clock, accounts, speech, ending } = deps
  const account = await accounts.admit(keysFrom(request.headers))
  const file = parseFileQuery(request.query, config.compat)
  const gone = new AbortController()
  reply.raw.once('close', () => gone.abort())
  const signal = AbortSignal.any([gone.signal, ending])

  try {
    const body = await openBody(await audioOf(request, deps, signal), config.maxBodyBytes)
    const transcript = await speech.transcribe(body, file.speech, signal)
    const { organisation, keyHash } = account
    const seconds = transcript.audioSeconds
    // A path with an escaped letter reaches the same route: it is counted under the route's own name.
    const { url: path = '' } = request.routeOptions
    await accounts.record({ id: request.id, organisation, keyHash, kind: 'file', path, seconds, at: clock.now() })
    return { transcript, file }
  } catch (error) {
    if (error instanceof ApiError) throw error
    if (ending.aborted) throw unavailable('The server is shutting down.', error)
    // Nobody reads this answer.
    if (gone.signal.aborted) throw new ApiError(400, 'The client went away.', { cause: error })
    throw error
  }
}

/** The audio itself, or what is behind the URL in a JSON body; any other content type is taken for audio. */
async function audioOf(
  { raw, headers }: ListenRequest,
  { config, clock }: ListenDeps,
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  const maxBytes = config.maxBodyBytes
  if (!isJson(headers)) {
    assertSize(Number(headers['content-length'] ?? 0), maxBytes)
    return raw
  }
  return fetchAudio(await readUrl(raw), { clock, maxBytes, timeoutMs: config.fetchTimeoutMs, signal })
}

export function isJson({ 'content-type': type = '' }: IncomingHttpHeaders): boolean {
  return /^application\/json\b/i.test(type)
}
