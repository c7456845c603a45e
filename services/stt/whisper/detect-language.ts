import { startDecoding } from './decoder.ts'
import type { EncodedAudio } from './encoder.ts'
import type { WhisperModel } from './whisper-model.ts'

/** The likeliest language of a window: multilingual models name it first. */
export async function detectLanguage({ manifest, sessions }: WhisperModel, audio: EncodedAudio): Promise<string> {
  const decoding = startDecoding(sessions.decoder, audio, manifest.dimensions)
  const [logits] = await decoding.feed([manifest.tokens.startOfTranscript], 1)
  const likelihood = (token: number): number => logits?.[token] ?? Number.NEGATIVE_INFINITY
  const ranked = Object.entries(manifest.languages).sort(([, one], [, other]) => likelihood(other) - likelihood(one))
  return ranked[0]?.[0] ?? 'en'
}
