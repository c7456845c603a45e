import { type Compat, toConfidence, toCreated, toDeepgramWord, toSeconds } from '../../wire/compat.ts'
import type { SpokenWord, Transcript } from '../../wire/speech.ts'

export interface AnswerOptions {
  readonly requestId: string
  readonly createdAt: number
  readonly compat: Compat
  /** The client sent `timestamps: true`. Deepgram always lists words. */
  readonly timestamps: boolean
  readonly detectLanguage: boolean
}

/** The answer of aldea-api §3.4. */
export function toAnswer(transcript: Transcript, options: AnswerOptions): object {
  const { requestId, createdAt, compat, timestamps, detectLanguage } = options
  const isDeepgram = compat === 'deepgram'
  const words = timestamps || isDeepgram ? transcript.words : []
  return {
    metadata: {
      request_id: requestId,
      created: toCreated(createdAt),
      duration: toSeconds(transcript.audioSeconds),
      channels: transcript.channels,
    },
    results: {
      channels: [
        {
          alternatives: [
            {
              transcript: transcript.text,
              confidence: toConfidence(transcript.confidence),
              words: words.map(isDeepgram ? toDeepgramWord : toWord),
            },
          ],
          ...(detectLanguage ? toDetected(transcript) : {}),
        },
      ],
    },
    // The architecture's own drawings show nothing but this.
    ...(isDeepgram ? {} : { text: transcript.text }),
  }
}

/** Deepgram tells how sure it is; where there is one language alone, nothing was measured. */
function toDetected({ language, languageConfidence }: Transcript): object {
  return {
    detected_language: language,
    ...(languageConfidence !== undefined && { language_confidence: toConfidence(languageConfidence) }),
  }
}

function toWord({ word, startSeconds, endSeconds }: SpokenWord): object {
  return { word, start: toSeconds(startSeconds), end: toSeconds(endSeconds) }
}
