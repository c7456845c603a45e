import type { Style } from './style.ts'

/**
 * What a speech server says to the proxies. Inside the system times are seconds and words are objects; the proxies
 * turn them into the shapes of the public API.
 *
 * HTTP: `POST /transcribe?<SpeechQuery>` with the audio file as body → 200 `Transcript`, else `SpeechFailure`.
 * Socket: `GET /stream?<SpeechQuery>`, binary frames of audio and `ControlMessage`s in, `SpeechMessage`s out; the
 * server closes with 1000 after `Summary`.
 */
export interface Transcript {
  readonly audioSeconds: number
  /** Channels of the file; they are mixed to mono before recognition. */
  readonly channels: number
  readonly text: string
  /** 0 to 1. */
  readonly confidence: number
  readonly words: readonly SpokenWord[]
  /** BCP-47. */
  readonly language: string
  /** 0 to 1. Present where the language was detected among several. */
  readonly languageConfidence?: number
  readonly model: SpeechModel
}

export interface SpokenWord {
  /** With its punctuation and capitals. */
  readonly word: string
  readonly startSeconds: number
  readonly endSeconds: number
  /** 0 to 1. */
  readonly confidence: number
}

export interface SpeechModel {
  readonly name: string
  readonly version: string
}

/** Why a speech server refuses. `status` is the public API's own (aldea-api §7). */
export interface SpeechFailure {
  readonly status: 400 | 413 | 415 | 422 | 429 | 500 | 503
  readonly error: string
}

export type ControlMessage =
  | { readonly type: 'KeepAlive' }
  | { readonly type: 'Finalize' }
  | { readonly type: 'CloseStream' }

export type SpeechMessage =
  | { readonly type: 'Open'; readonly model: SpeechModel }
  | { readonly type: 'SpeechStarted'; readonly atSeconds: number }
  | SpeechResult
  | { readonly type: 'UtteranceEnd'; readonly lastWordEndSeconds: number }
  /** The last message of every stream: how much audio came in. */
  | { readonly type: 'Summary'; readonly audioSeconds: number }
  | ({ readonly type: 'Failure' } & SpeechFailure)

export interface SpeechResult {
  readonly type: 'Result'
  readonly startSeconds: number
  readonly durationSeconds: number
  readonly isFinal: boolean
  /** An endpoint (silence) was reached. */
  readonly speechFinal: boolean
  readonly fromFinalize: boolean
  readonly text: string
  readonly confidence: number
  readonly words: readonly SpokenWord[]
}

/** Query parameters of both routes, named as in the public API; unknown ones are ignored. */
export interface SpeechQuery extends Style {
  /** BCP-47, or `auto`: to be detected. Absent: the engine's own, English where it knows it. */
  readonly language?: string
  /** Terms that are likely to be said, one a line. */
  readonly keyterm?: string
  /** Socket only, as are all below. Absent: by signature, else 16 kHz mono s16le. */
  readonly encoding?: string
  readonly sample_rate?: string
  readonly channels?: string
  readonly interim_results?: string
  /** Milliseconds of silence, or `false`. */
  readonly endpointing?: string
  readonly utterance_end_ms?: string
  /** Of a stream that another server began: so many milliseconds before this one a word ended whose UtteranceEnd is due. */
  readonly last_word_ago_ms?: string
  readonly vad_events?: string
}
