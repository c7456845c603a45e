import { type Dispatcher, request } from '../../../wire/undici.ts'
import { SpeechError } from '../../errors.ts'
import type { Upstream, UpstreamFile, UpstreamTranscript } from './upstream.ts'

/** The statuses of servers that cannot answer just now: another one may. */
const UNAVAILABLE = new Set([502, 503, 504])
/** Of another server's refusal so much is told. */
const MAX_TOLD_CHARACTERS = 300

/**
 * Asks the first upstream that answers. A server is left for the next one as long as nothing of its answer has come.
 * @throws {@link SpeechError}: what a server refused, 503 when none can be reached.
 */
export async function transcribeAt(
  upstreams: readonly Upstream[],
  file: UpstreamFile,
  { dispatcher, signal }: { dispatcher: Dispatcher; signal: AbortSignal | undefined },
): Promise<UpstreamTranscript> {
  const reasons: string[] = []
  for (const upstream of upstreams) {
    const { url, headers, body } = upstream.file.request(file)
    const answer = await request(url, { method: 'POST', headers, body, dispatcher, signal: signal ?? null }).catch(
      (error: unknown) => {
        signal?.throwIfAborted()
        return error instanceof Error ? error : new Error(String(error))
      },
    )
    if (answer instanceof Error) {
      reasons.push(`${upstream.url.host}: ${answer.message}`)
      continue
    }
    const { statusCode } = answer
    if (UNAVAILABLE.has(statusCode)) {
      await answer.body.dump()
      reasons.push(`${upstream.url.host}: status ${statusCode}`)
      continue
    }
    const text = await answer.body.text()
    if (statusCode !== 200) throw refusal(upstream.url, statusCode, text)
    try {
      return upstream.file.read(JSON.parse(text), file)
    } catch (cause) {
      throw new SpeechError(500, `${upstream.url.host} answered what is no transcript.`, { cause })
    }
  }
  throw new SpeechError(503, `None of the servers behind this one answers. ${reasons.join('; ')}`)
}

/** Its own words where it is about the audio or the parameters; ours where it is about us. */
function refusal({ host }: URL, status: number, text: string): SpeechError {
  const told = text.slice(0, MAX_TOLD_CHARACTERS)
  if (status === 400 || status === 413 || status === 415 || status === 422 || status === 429) {
    return new SpeechError(status, `${host} refused: ${told}`)
  }
  return new SpeechError(500, `${host} answered ${status}: ${told}`)
}
