import { deflateSync } from 'node:zlib'

/** What tells invented text from heard text. The numbers are those of Whisper's own decoder. */
export interface Signs {
  /** A repetition was cut off, or the limit of tokens was reached. */
  readonly looped: boolean
  readonly averageLogProbability: number
  readonly noSpeechProbability: number
  readonly compressionRatio: number
}

/** `silence`: nobody spoke, whatever the text says. `doubtful`: worth another try. */
export type Verdict = 'fine' | 'doubtful' | 'silence'

/** The likeliest text first; each further try is freer, for a text that repeats itself. */
export const TEMPERATURES = [0, 0.2, 0.4, 0.6, 0.8, 1] as const

const MAX_COMPRESSION_RATIO = 2.4
const MIN_AVERAGE_LOG_PROBABILITY = -1
const MAX_NO_SPEECH_PROBABILITY = 0.6

export function verdictOn(signs: Signs): Verdict {
  const isUnlikely = signs.averageLogProbability < MIN_AVERAGE_LOG_PROBABILITY
  if (isUnlikely && signs.noSpeechProbability > MAX_NO_SPEECH_PROBABILITY) return 'silence'
  return isUnlikely || repeatsItself(signs) ? 'doubtful' : 'fine'
}

export function repeatsItself({ looped, compressionRatio }: Signs): boolean {
  return looped || compressionRatio > MAX_COMPRESSION_RATIO
}

/** Repetitive text compresses well. 0 for no text. */
export function compressionOf(text: string): number {
  if (text === '') return 0
  const bytes = Buffer.from(text, 'utf8')
  return bytes.length / deflateSync(bytes).length
}
