import { createHash } from 'node:crypto'
import { type Compat, toConfidence, toCreated, toDeepgramWord, toSeconds } from '../../wire/compat.ts'
import type { SpeechModel, SpeechResult, SpokenWord } from '../../wire/speech.ts'

/** The messages of aldea-api §6 for one stream. */
export interface Messages {
  opening(createdAt: number): object
  results(result: SpeechResult): object
  speechStarted(atSeconds: number): object
  utteranceEnd(lastWordEndSeconds: number): object
  error(variant: 'SchemaError' | 'ServerError', description: string): object
  /** Deepgram's summary before the close; `sha256` is that of the audio. Aldea has none. */
  closing(summary: { createdAt: number; audioSeconds: number; sha256: string }): object | undefined
}

export interface MessagesOptions {
  readonly requestId: string
  readonly model: SpeechModel
  readonly channels: number
  readonly compat: Compat
}

const ARCH = 'aldea-asr'

export function createMessages({ requestId, model, channels, compat }: MessagesOptions): Messages {
  const isDeepgram = compat === 'deepgram'
  // Only one channel is ever recognised. Deepgram adds how many there are.
  const channelIndex = isDeepgram ? [0, 1] : [0]
  const { name, version } = model
  const modelId = uuidFor(model)
  // Aldea shows no version: an empty one at the opening, null in results.
  const metadata = isDeepgram
    ? { request_id: requestId, model_info: { name, version, arch: ARCH }, model_uuid: modelId }
    : { request_id: requestId, model_info: { name, version: null, arch: ARCH } }

  return {
    opening: (createdAt) => ({
      type: 'Metadata',
      request_id: requestId,
      created: toCreated(createdAt),
      duration: 0,
      channels,
      model_info: { name, version: isDeepgram ? version : '', arch: ARCH },
    }),
    results: (result) => ({
      type: 'Results',
      channel_index: channelIndex,
      duration: toSeconds(result.durationSeconds),
      start: toSeconds(result.startSeconds),
      is_final: result.isFinal,
      speech_final: result.speechFinal,
      channel: {
        alternatives: [
          {
            transcript: result.text,
            confidence: toConfidence(result.confidence),
            words: isDeepgram ? result.words.map(toDeepgramWord) : result.words.map(toTuple),
          },
        ],
      },
      metadata,
      ...(result.fromFinalize || isDeepgram ? { from_finalize: result.fromFinalize } : {}),
      // The architecture's own drawings show nothing but this.
      ...(isDeepgram ? {} : { text: result.text }),
    }),
    speechStarted: (atSeconds) => ({ type: 'SpeechStarted', channel: channelIndex, timestamp: toSeconds(atSeconds) }),
    utteranceEnd: (lastWordEndSeconds) => ({
      type: 'UtteranceEnd',
      channel: channelIndex,
      last_word_end: toSeconds(lastWordEndSeconds),
    }),
    error: (variant, description) => ({ type: 'Error', variant, description, message: description }),
    closing({ createdAt, audioSeconds, sha256 }) {
      if (!isDeepgram) return undefined
      return {
        type: 'Metadata',
        transaction_key: 'deprecated',
        request_id: requestId,
        sha256,
        created: toCreated(createdAt),
        duration: toSeconds(audioSeconds),
        channels,
        models: [modelId],
        model_info: { [modelId]: { name, version, arch: ARCH } },
      }
    },
  }
}

/** Word, start and end in whole milliseconds. */
function toTuple({ word, startSeconds, endSeconds }: SpokenWord): [string, number, number] {
  return [word, Math.round(startSeconds * 1_000), Math.round(endSeconds * 1_000)]
}

/** Deepgram knows a model by a UUID; ours have names, and the same name has the same id everywhere. */
function uuidFor({ name, version }: SpeechModel): string {
  const hex = createHash('sha256').update(`${name}@${version}`).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
