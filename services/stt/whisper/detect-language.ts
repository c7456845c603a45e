import type { EncodedAudio } from './encoder.ts'
import type { DetectedLanguage } from './port.ts'
import type { WhisperModel } from './whisper-model.ts'

/** The likeliest language of a window: multilingual models name it first. */
export async function detectLanguage(
  { manifest, decoder }: WhisperModel,
  audio: EncodedAudio,
): Promise<DetectedLanguage> {
  const decoding = decoder.start(audio)
  const [logits] = await decoding.feed([manifest.tokens.startOfTranscript], 1)
  return likeliest(manifest.languages, (token) => logits?.[token] ?? Number.NEGATIVE_INFINITY)
}

/** Among all languages, by the share of each: what else the model might have said does not count. */
export function likeliest(
  languages: Readonly<Record<string, number>>,
  logitOf: (token: number) => number,
): DetectedLanguage {
  const ranked = Object.entries(languages)
    .map(([language, token]) => ({ language, logit: logitOf(token) }))
    .toSorted((one, other) => other.logit - one.logit)
  const best = ranked[0] ?? { language: 'en', logit: 0 }
  const sum = ranked.reduce((total, { logit }) => total + Math.exp(logit - best.logit), 0)
  return { language: best.language, confidence: 1 / sum }
}
