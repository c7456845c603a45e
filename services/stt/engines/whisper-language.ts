import { AUTO, primaryTag } from '../domain/language.ts'
import type { DetectedLanguage, Recognition } from '../whisper/port.ts'
import { mapInParallel } from './in-parallel.ts'
import type { Piece } from './pieces.ts'

/** The language to recognise in, for what was asked; undefined: it has to be detected. */
export function languageToUse(asked: string | undefined, known: readonly string[]): string | undefined {
  if (known.length === 1) return known[0]
  if (asked === AUTO) return undefined
  // The public API's default (aldea-api §3.3).
  return asked === undefined ? known.find((language) => language === 'en') : primaryTag(asked)
}

interface PiecesOptions {
  readonly language: string | undefined
  readonly parallel: number
  readonly recognise: (piece: Piece, language: string | undefined) => Promise<Recognition>
}

interface RecognisedPieces {
  readonly said: readonly { readonly piece: Piece; readonly recognition: Recognition }[]
  readonly detected: DetectedLanguage | undefined
}

/** All pieces in one language: where it is unknown, that of the longest piece, which says most. */
export async function recognisePieces(
  pieces: readonly Piece[],
  { language, parallel, recognise }: PiecesOptions,
): Promise<RecognisedPieces> {
  const [longest] = language === undefined ? pieces.toSorted((one, other) => lengthOf(other) - lengthOf(one)) : []
  const first = longest && (await recognise(longest, undefined))
  const detected = first?.detectedLanguage
  const said = await mapInParallel(pieces, parallel, async (piece) => ({
    piece,
    recognition: first && piece === longest ? first : await recognise(piece, language ?? detected?.language),
  }))
  return { said, detected }
}

function lengthOf({ startSample, endSample }: Piece): number {
  return endSample - startSample
}

/** A shorter window, or a less certain one, may be of any language. */
const DECISIVE_SECONDS = 2
const DECISIVE_CONFIDENCE = 0.5

/** The language of a live stream. */
export interface StreamLanguage {
  /** Undefined: each window is detected by itself. */
  readonly current: string | undefined
  /** A final result: where it is certain of its language, the stream stays with that. */
  hear(recognition: Recognition, windowSeconds: number): void
}

export function createStreamLanguage(language: string | undefined): StreamLanguage {
  let current = language
  return {
    get current() {
      return current
    },
    hear({ detectedLanguage: detected, text }, windowSeconds) {
      if (!detected || !text || windowSeconds < DECISIVE_SECONDS) return
      if (detected.confidence >= DECISIVE_CONFIDENCE) current ??= detected.language
    },
  }
}
