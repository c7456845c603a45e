import type { SpokenWord, Transcript } from '../../wire/speech.ts'
import { SAMPLE_RATE_HZ } from '../audio/format.ts'
import { clampWords } from '../domain/clamp-words.ts'
import { LEAST_LEFT_OUT_SECONDS, WORD_END_SECONDS } from '../domain/left-out.ts'
import { isBlip, roundSeconds } from '../live/result.ts'
import type { Segment } from '../vad/segmenter.ts'
import type { Recognition } from '../whisper/port.ts'
import { PAD_SECONDS } from './pieces.ts'
import type { Piece } from './pieces.ts'

/** What a piece says, in the recording's time. */
export interface Placed {
  readonly text: string
  readonly words: readonly SpokenWord[]
}

/** What a piece says, in the recording's time; nothing where a noise was taken for speech. */
export function place(recognition: Recognition, piece: Piece, segments: readonly Segment[]): Placed {
  const speech = within(segments, piece)
  if (isBlip(recognition, lengthOf(speech))) return { text: '', words: [] }

  const speechTimes = speech.map(({ startSample, endSample }) => ({
    startSeconds: (startSample - piece.startSample) / SAMPLE_RATE_HZ,
    endSeconds: (endSample - piece.startSample) / SAMPLE_RATE_HZ,
  }))
  const offset = piece.startSample / SAMPLE_RATE_HZ
  return {
    text: recognition.text,
    words: clampWords(recognition.words, speechTimes).map(({ word, startSeconds, endSeconds, confidence }) => ({
      word,
      startSeconds: roundSeconds(offset + startSeconds),
      endSeconds: roundSeconds(Math.min(piece.endSample / SAMPLE_RATE_HZ, offset + endSeconds)),
      confidence,
    })),
  }
}

/**
 * Speech of a piece after its last word, to be heard by itself: now and then the model takes a pause inside a window for
 * the end of everything. Undefined when there is none, or when the piece says nothing at all.
 */
export function unheardAfter({ words }: Placed, piece: Piece, segments: readonly Segment[]): Piece | undefined {
  const lastEnd = words.at(-1)?.endSeconds
  if (lastEnd === undefined) return undefined
  const heardSample = Math.round(lastEnd * SAMPLE_RATE_HZ)
  const left = within(segments, { startSample: heardSample, endSample: piece.endSample }).filter(
    ({ startSample, endSample }) =>
      startSample > heardSample || endSample - startSample > WORD_END_SECONDS * SAMPLE_RATE_HZ,
  )
  const [first] = left
  if (!first || lengthOf(left) < LEAST_LEFT_OUT_SECONDS * SAMPLE_RATE_HZ) return undefined
  const startSample = Math.max(heardSample, first.startSample - PAD_SECONDS * SAMPLE_RATE_HZ)
  return { startSample, endSample: piece.endSample }
}

/** What of the speech lies in a piece. */
function within(segments: readonly Segment[], piece: Piece): Segment[] {
  return segments
    .filter(({ startSample, endSample }) => endSample > piece.startSample && startSample < piece.endSample)
    .map(({ startSample, endSample }) => ({
      startSample: Math.max(startSample, piece.startSample),
      endSample: Math.min(endSample, piece.endSample),
    }))
}

function lengthOf(segments: readonly Segment[]): number {
  return segments.reduce((sum, { startSample, endSample }) => sum + endSample - startSample, 0)
}

/** The words of all pieces as one text. */
export function together(pieces: readonly Placed[]): Pick<Transcript, 'text' | 'words' | 'confidence'> {
  const words = pieces.flatMap((piece) => piece.words)
  const sum = words.reduce((total, { confidence }) => total + confidence, 0)
  return {
    text: pieces
      .map(({ text }) => text)
      .filter(Boolean)
      .join(' '),
    words,
    confidence: words.length === 0 ? 0 : sum / words.length,
  }
}
