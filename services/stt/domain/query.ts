import { STYLE_FLAGS, type Style } from '../../wire/style.ts'
import type { FileOptions, StreamOptions } from '../engines/port.ts'
import { SpeechError } from '../errors.ts'
import { declaredEncoding } from './encodings.ts'
import { resolveLanguage } from './language.ts'
import type { Installed } from './language.ts'

/** A query string as parsed by the HTTP server: a repeated parameter is a list. */
export type Query = Readonly<Record<string, string | readonly string[] | undefined>>

const DEFAULTS = { sampleRateHz: 16_000, channels: 1, endpointingMs: 300 } as const

// What the resampler and the tests cover: telephone to studio.
const SAMPLE_RATES_HZ = [8_000, 48_000] as const
const CHANNELS = [1, 16] as const
// Ten minutes: no pause in speech is longer.
const SILENCE_MS = [0, 600_000] as const

/**
 * Reads what a client asks of a live stream. Unknown parameters are ignored, empty ones count as absent.
 * @throws {@link SpeechError} 415 for an unknown encoding, 422 for any other value that makes no sense.
 */
export function parseStreamQuery(query: Query, installed: Installed): StreamOptions {
  const encoding = text(query, 'encoding')
  // Refused here, before the upgrade, where the client still sees a status.
  declaredEncoding(encoding)
  return {
    encoding,
    sampleRateHz: integer(query, 'sample_rate', SAMPLE_RATES_HZ) ?? DEFAULTS.sampleRateHz,
    channels: integer(query, 'channels', CHANNELS) ?? DEFAULTS.channels,
    language: resolveLanguage(text(query, 'language'), installed),
    keyterms: keyterms(query),
    style: style(query),
    interimResults: flag(query, 'interim_results', true),
    endpointingMs: endpointing(query),
    utteranceEndMs: integer(query, 'utterance_end_ms', SILENCE_MS),
    lastWordAgoMs: integer(query, 'last_word_ago_ms', SILENCE_MS),
    vadEvents: flag(query, 'vad_events', false),
  }
}

/** What a client asks for a file. @throws {@link SpeechError} 422. */
export function parseFileQuery(query: Query, installed: Installed): Omit<FileOptions, 'signal'> {
  return {
    language: resolveLanguage(text(query, 'language'), installed),
    keyterms: keyterms(query),
    style: style(query),
  }
}

/** One a line; the proxies see to their number and length. */
function keyterms(query: Query): readonly string[] {
  const lines = text(query, 'keyterm')?.split('\n') ?? []
  return lines.map((line) => line.trim()).filter(Boolean)
}

/** Checked by the proxies, like terms. */
function style(query: Query): Style {
  return Object.fromEntries(
    STYLE_FLAGS.flatMap((name) => {
      const value = text(query, name)
      return value === undefined ? [] : [[name, value]]
    }),
  )
}

function endpointing(query: Query): number | false {
  const value = text(query, 'endpointing')?.toLowerCase()
  if (value === 'false') return false
  if (value === 'true') return DEFAULTS.endpointingMs
  return integer(query, 'endpointing', SILENCE_MS) ?? DEFAULTS.endpointingMs
}

function flag(query: Query, name: string, otherwise: boolean): boolean {
  const value = text(query, name)?.toLowerCase()
  if (value === undefined) return otherwise
  if (value === 'true' || value === '1') return true
  if (value === 'false' || value === '0') return false
  throw new SpeechError(422, `${name} is "${value}"; it must be true or false.`)
}

function integer(query: Query, name: string, [least, most]: readonly [number, number]): number | undefined {
  const value = text(query, name)
  if (value === undefined) return undefined
  const number = Number(value)
  if (Number.isInteger(number) && number >= least && number <= most) return number
  throw new SpeechError(422, `${name} is "${value}"; it must be a whole number from ${least} to ${most}.`)
}

function text(query: Query, name: string): string | undefined {
  const value = query[name]
  const first = typeof value === 'string' ? value : value?.[0]
  return first?.trim() || undefined
}
