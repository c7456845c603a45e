import { Agent, fetch } from '../wire/undici.ts'
import { ApiError } from '../wire/api-error.ts'
import type { Clock } from '../wire/clock.ts'
import { assertSize } from './body.ts'

export interface RemoteOptions {
  readonly clock: Clock
  readonly maxBytes: number
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

/** A body that names its audio is this small. */
const MAX_JSON_BYTES = 64 * 1024

/** The URL in the body `{"url": "https://…"}`. @throws ApiError 400 for any other body, 422 for any other scheme. */
export async function readUrl(source: AsyncIterable<Uint8Array>): Promise<URL> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of source) {
    size += chunk.length
    assertSize(size, MAX_JSON_BYTES)
    chunks.push(chunk)
  }
  const text = urlIn(Buffer.concat(chunks).toString())
  if (text === undefined) throw new ApiError(400, 'The body must be JSON such as {"url": "https://example.com/a.wav"}.')
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url && ['http:', 'https:'].includes(url.protocol)) return url
  throw new ApiError(422, 'url must be an http or https address.')
}

function urlIn(json: string): string | undefined {
  try {
    const value: unknown = JSON.parse(json)
    const isNamed = typeof value === 'object' && value !== null && 'url' in value
    return isNamed && typeof value.url === 'string' ? value.url : undefined
  } catch {
    return undefined
  }
}

/** The audio behind a URL, as it arrives. @throws ApiError 413, or 422 when it cannot be had. */
export async function* fetchAudio(url: URL, options: RemoteOptions): AsyncGenerator<Uint8Array> {
  const { clock, maxBytes, timeoutMs, signal } = options
  const tooLate = new AbortController()
  const timer = clock.deadline(timeoutMs, () => tooLate.abort(new Error(`It took longer than ${timeoutMs} ms.`)))
  // Its own, so that no connection outlives the request.
  const dispatcher = new Agent()
  try {
    const answer = await fetch(url, { dispatcher, signal: AbortSignal.any([signal, tooLate.signal]) })
    if (!answer.ok) throw new Error(`The server answered ${answer.status}.`)
    assertSize(Number(answer.headers.get('content-length') ?? 0), maxBytes)
    for await (const chunk of answer.body ?? []) yield chunk
  } catch (error) {
    if (error instanceof ApiError || signal.aborted) throw error
    throw new ApiError(422, `The audio cannot be fetched from ${url.origin}. ${reasonOf(error)}`.trim(), {
      cause: error,
    })
  } finally {
    timer.cancel()
    await dispatcher.destroy()
  }
}

/** The HTTP client wraps what went wrong in an error that says only that something did. */
function reasonOf(error: unknown): string {
  const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error
  if (!(inner instanceof Error)) return ''
  return inner.message.endsWith('.') ? inner.message : `${inner.message}.`
}
