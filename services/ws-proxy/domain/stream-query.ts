import { ApiError } from '../../wire/api-error.ts'
import { type Compat, compatOf } from '../../wire/compat.ts'
import { keytermsIn } from '../../wire/keyterms.ts'
import { flagIn, type Query, textIn } from '../../wire/query.ts'
import type { SpeechQuery } from '../../wire/speech.ts'
import { styleIn } from '../../wire/style.ts'

export interface StreamRequest {
  /** What the speech server needs to know; it checks the values' ranges. */
  readonly speech: SpeechQuery
  readonly compat: Compat
  readonly channels: number
}

export interface StreamQueryOptions {
  readonly compat: Compat
  /** The path says that the audio is raw PCM. */
  readonly isPcm: boolean
}

/** Parameters of aldea-api §4.2 with their aliases. */
const TEXTS = {
  language: ['language', 'lang'],
  encoding: ['encoding', 'format', 'codec'],
  sample_rate: ['sample_rate'],
  channels: ['channels'],
  endpointing: ['endpointing'],
  utterance_end_ms: ['utterance_end_ms'],
} as const satisfies Partial<Record<keyof SpeechQuery, readonly string[]>>

const FLAGS = ['interim_results', 'vad_events'] as const satisfies (keyof SpeechQuery)[]

/** Reads what a client asks of a live stream; unknown parameters are ignored. @throws ApiError 422. */
export function parseStreamQuery(query: Query, { compat, isPcm }: StreamQueryOptions): StreamRequest {
  const texts = Object.entries(TEXTS).map(([name, aliases]) => [name, textIn(query, ...aliases)] as const)
  const flags = FLAGS.map((name) => [name, flagIn(query, name)] as const)
  const keyterm = ['keyterm', keytermsIn(query)] as const
  const given = [...texts, ...flags, keyterm].filter(([, value]) => value !== undefined)
  const speech: SpeechQuery = {
    ...styleIn(query),
    ...Object.fromEntries(given.map(([name, value]) => [name, String(value)])),
    // As for files: what is detected is what is recognised.
    ...(flagIn(query, 'detect_language') && { language: 'auto' }),
  }
  return {
    speech: isPcm ? { encoding: 'linear16', ...speech } : speech,
    compat: compatOf(query, compat),
    channels: channelsOf(speech),
  }
}

function channelsOf({ channels = '1' }: SpeechQuery): number {
  if (/^\d{1,3}$/.test(channels)) return Number(channels)
  throw new ApiError(422, `channels is "${channels}"; it must be a whole number.`)
}
