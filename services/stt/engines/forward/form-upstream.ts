import { FormData } from 'undici'
import { listOf, meanConfidence, member, numberOf, textOf, wordOf } from './json.ts'
import type { FileExchange, Upstream, UpstreamOptions } from './upstream.ts'

/** OpenAI's transcription API, which most self-hosted servers speak as well; it takes files. */
export function transcriptionsUpstream(url: URL, { key, model }: UpstreamOptions): Upstream {
  const headers: Record<string, string> = key === undefined ? {} : { authorization: `Bearer ${key}` }
  const fields = { model: model ?? 'whisper-1', 'timestamp_granularities[]': 'word' }
  return { url, file: formExchange(url, headers, fields) }
}

/** The server of whisper.cpp, which takes files. */
export function inferenceUpstream(url: URL, { key }: UpstreamOptions): Upstream {
  const headers: Record<string, string> = key === undefined ? {} : { authorization: `Bearer ${key}` }
  return { url, file: formExchange(url, headers, { temperature: '0.0' }) }
}

function formExchange(
  url: URL,
  headers: Readonly<Record<string, string>>,
  fields: Readonly<Record<string, string>>,
): FileExchange {
  return {
    request({ bytes, language }) {
      const body = new FormData()
      for (const [name, value] of Object.entries(fields)) body.set(name, value)
      body.set('response_format', 'verbose_json')
      if (language !== undefined) body.set('language', language)
      body.set('file', new Blob([new Uint8Array(bytes)]), 'audio')
      return { url, headers, body }
    },
    read(answer) {
      const segments = listOf(member(answer, 'segments'))
      const listed = listOf(member(answer, 'words'))
      const inSegments = segments.flatMap((segment) => listOf(member(segment, 'words')))
      const words = (listed.length > 0 ? listed : inSegments).flatMap(wordOf)
      const text = textOf(member(answer, 'text'))
      if (member(answer, 'text') === undefined) throw new Error('The answer holds no text.')
      const audioSeconds = numberOf(member(answer, 'duration'))
      return {
        text,
        words,
        confidence: meanConfidence(words) || confidenceOf(segments),
        ...(audioSeconds !== undefined && { audioSeconds }),
      }
    },
  }
}

/** Of segments without words: what their mean log-probability of a token comes to. */
function confidenceOf(segments: readonly unknown[]): number {
  const each = segments.map((segment) => Math.exp(numberOf(member(segment, 'avg_logprob')) ?? 0))
  return each.length === 0 ? 0 : each.reduce((sum, value) => sum + value, 0) / each.length
}
