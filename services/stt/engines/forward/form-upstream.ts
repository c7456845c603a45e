import { FormData } from '../../../wire/undici.ts'
import { AUTO, primaryTag } from '../../domain/language.ts'
import { listOf, meanConfidence, member, numberOf, textOf, wordOf } from './json.ts'
import type { FileExchange, Upstream, UpstreamOptions } from './upstream.ts'

/** OpenAI's transcription API, which most self-hosted servers speak as well; it takes files. */
export function transcriptionsUpstream(url: URL, { key, model }: UpstreamOptions): Upstream {
  const headers: Record<string, string> = key === undefined ? {} : { authorization: `Bearer ${key}` }
  const fields = { model: model ?? 'whisper-1', 'timestamp_granularities[]': 'word' }
  // It detects where it is told nothing.
  return { url, file: formExchange(url, { headers, fields, auto: undefined }) }
}

/** The server of whisper.cpp, which takes files. */
export function inferenceUpstream(url: URL, { key }: UpstreamOptions): Upstream {
  const headers: Record<string, string> = key === undefined ? {} : { authorization: `Bearer ${key}` }
  // Told nothing it takes everything for English.
  return { url, file: formExchange(url, { headers, fields: { temperature: '0.0' }, auto: AUTO }) }
}

interface Form {
  readonly headers: Readonly<Record<string, string>>
  readonly fields: Readonly<Record<string, string>>
  /** The language that has the language detected. */
  readonly auto: string | undefined
}

function formExchange(url: URL, { headers, fields, auto }: Form): FileExchange {
  return {
    request({ bytes, language, keyterms = [] }) {
      const body = new FormData()
      for (const [name, value] of Object.entries(fields)) body.set(name, value)
      body.set('response_format', 'verbose_json')
      const spoken = language === AUTO ? auto : language && primaryTag(language)
      if (spoken !== undefined) body.set('language', spoken)
      // Terms that stand in a text before it are likelier to be heard.
      if (keyterms.length > 0) body.set('prompt', keyterms.join(', '))
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
