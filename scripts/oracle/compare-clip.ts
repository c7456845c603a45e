import { encode } from '../../services/stt/whisper/encoder.ts'
import { HOP_SAMPLES } from '../../services/stt/whisper/spectrogram/log-mel.ts'
import { transcribePass } from '../../services/stt/whisper/transcribe-pass.ts'
import type { WhisperModel } from '../../services/stt/whisper/whisper-model.ts'
import type { OracleClip } from './oracle.ts'
import { countPlacedWords, type TimedText } from './word-places.ts'
import { editDistance } from '../wer.ts'

export interface ClipComparison {
  readonly file: string
  readonly tokensEqual: boolean
  readonly wrongWords: number
  readonly placedWords: number
  readonly comparedWords: number
}

const WINDOW_FRAMES = 3000
const FRAMES_PER_SECOND = 100

export async function compareClip(model: WhisperModel, clip: OracleClip): Promise<ClipComparison> {
  const { tokens, words } = await transcribeAsOracle(model, clip.samples)
  const expected = clip.segments.flatMap((segment) => segment.tokens)
  return {
    file: clip.file,
    tokensEqual: JSON.stringify(tokens) === JSON.stringify(expected),
    wrongWords: editDistance(wholeWords(clip.text), wholeWords(words.map(({ text }) => text).join(' '))),
    ...countPlacedWords(
      clip.segments.flatMap((segment) => segment.words),
      words,
    ),
  }
}

/**
 * faster-whisper's way through a file: one spectrogram of the whole, windows of 30 s padded with zeros (which are not
 * silence), the next window where the last word ended unless the text ended with a single timestamp.
 */
async function transcribeAsOracle(
  model: WhisperModel,
  samples: Float32Array,
): Promise<{ readonly tokens: readonly number[]; readonly words: readonly TimedText[] }> {
  const { mels } = model.manifest.dimensions
  const frames = Math.floor(samples.length / HOP_SAMPLES)
  const mel = model.logMel.compute(samples, frames)
  const tokens: number[] = []
  const words: TimedText[] = []
  let seek = 0
  while (seek < frames) {
    const length = Math.min(WINDOW_FRAMES, frames - seek)
    const window = new Float32Array(mels * WINDOW_FRAMES)
    for (let band = 0; band < mels; band += 1) {
      window.set(mel.subarray(band * frames + seek, band * frames + seek + length), band * WINDOW_FRAMES)
    }
    const offsetSeconds = seek / FRAMES_PER_SECOND
    const pass = await transcribePass(model, await encode(model.sessions.encoder, window, model.manifest.dimensions), {
      language: 'en',
      timestamps: true,
      isOpen: false,
      audioSeconds: length / FRAMES_PER_SECOND,
      lastSpeechSeconds: (words.at(-1)?.endSeconds ?? 0) - offsetSeconds,
      checkpoint: () => undefined,
    })
    tokens.push(...pass.segments.flatMap((segment) => segment.tokens))
    for (const { word, startSeconds, endSeconds } of pass.words) {
      words.push({ text: word, startSeconds: startSeconds + offsetSeconds, endSeconds: endSeconds + offsetSeconds })
    }
    if (pass.unfinishedAtSeconds === undefined) break
    const lastEnd = words.at(-1)?.endSeconds ?? offsetSeconds
    seek = Math.max(seek + 1, Math.round(lastEnd * FRAMES_PER_SECOND))
  }
  return { tokens, words }
}

/** Without case and the punctuation around words; what a hyphen joins is one word, as the oracle times it. */
function wholeWords(text: string): string[] {
  return text
    .toLowerCase()
    .split(/\s+/)
    .map((word) => word.replaceAll(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, ''))
    .filter((word) => word !== '')
}
