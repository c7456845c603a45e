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

/** The likeliest text first; each further try is freer. */
export const TEMPERATURES = [0, 0.2, 0.4, 0.6, 0.8, 1] as const

const MAX_COMPRESSION_RATIO = 2.4
const MIN_AVERAGE_LOG_PROBABILITY = -1
const MAX_NO_SPEECH_PROBABILITY = 0.6

export function verdictOn(signs: Signs): Verdict {
  const isUnlikely = signs.averageLogProbability < MIN_AVERAGE_LOG_PROBABILITY
  if (isUnlikely && signs.noSpeechProbability > MAX_NO_SPEECH_PROBABILITY) return 'silence'
  if (isUnlikely || signs.looped || signs.compressionRatio > MAX_COMPRESSION_RATIO) return 'doubtful'
  return 'fine'
}

/** Of tries that are all doubtful: the likeliest of those that do not repeat themselves. */
export function leastDoubtful<T extends { readonly signs: Signs }>(tries: readonly T[]): T | undefined {
  const varied = tries.filter(({ signs }) => !signs.looped && signs.compressionRatio <= MAX_COMPRESSION_RATIO)
  const [best] = (varied.length > 0 ? varied : tries).toSorted(
    (one, other) => other.signs.averageLogProbability - one.signs.averageLogProbability,
  )
  return best
}

/** Repetitive text compresses well. 0 for no text. */
export function compressionOf(text: string): number {
  if (text === '') return 0
  const bytes = Buffer.from(text, 'utf8')
  return bytes.length / deflateSync(bytes).length
}
