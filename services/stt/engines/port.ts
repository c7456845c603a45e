import type { Style } from '../../wire/style.ts'
import type { SpeechMessage, SpeechModel, Transcript } from '../../wire/speech.ts'
import type { Load } from '../whisper/port.ts'
import type { ChosenDevice } from '../devices/device.ts'

/** One way to turn speech into words: `whisper`, `forward`, `cassette` or `scripted`. */
export interface SpeechEngine {
  readonly model: SpeechModel
  /** Where the model computes; absent where it does so elsewhere, or nothing does. */
  readonly device?: ChosenDevice
  /** BCP-47 primary tags the engine accepts, such as `en`; `any` leaves the refusal to it. */
  readonly languages: Languages
  /** @throws {@link SpeechError} for audio or options it refuses. */
  transcribe(file: AudioFile, options: FileOptions): Promise<Transcript>
  openStream(options: StreamOptions, send: (message: SpeechMessage) => void): SpeechStream
  /** What was recognised so far, and the time spent computing on it. */
  figures(): Figures
  stop(): Promise<void>
}

export type Languages = readonly string[] | 'any'

export interface Figures {
  readonly audioSeconds: number
  readonly computeSeconds: number
  /** Of an engine that computes here. */
  readonly load?: Load
}

export interface AudioFile {
  readonly bytes: Uint8Array
}

export interface FileOptions {
  /** A tag as it was asked for, `auto`, or undefined: the engine's own. */
  readonly language: string | undefined
  /** Terms that are likely to be said. */
  readonly keyterms?: readonly string[]
  /** Of use to other speech servers only. */
  readonly style?: Style
  readonly signal?: AbortSignal
  /** Asked before so many bytes of decoded audio more are held in memory; resolves when there is room for them. */
  readonly hold?: (bytes: number) => Promise<void>
}

export interface StreamOptions {
  readonly encoding: string | undefined
  readonly sampleRateHz: number
  readonly channels: number
  /** As of a file. */
  readonly language: string | undefined
  /** Terms that are likely to be said. */
  readonly keyterms?: readonly string[]
  /** Of use to other speech servers only. */
  readonly style?: Style
  readonly interimResults: boolean
  /** `false`: only Finalize and CloseStream make finals. */
  readonly endpointingMs: number | false
  readonly utteranceEndMs: number | undefined
  /** Of a stream that another server began: so long before it a word ended whose UtteranceEnd is due. */
  readonly lastWordAgoMs?: number | undefined
  readonly vadEvents: boolean
}

/** One live stream. All its times are audio time. */
export interface SpeechStream {
  /** Seconds of audio received so far. */
  readonly audioSeconds: number
  /** Resolves when the audio was heard and there is room for more; never rejects: a failure is sent as `Failure`. */
  write(audio: Uint8Array): Promise<void>
  /** Flushes what is buffered as a final result; the stream goes on. */
  finalize(): void
  /** Flushes, sends `Summary`, resolves when everything was sent. */
  close(): Promise<void>
  /** Drops everything at once: the client has gone. */
  abort(): void
}
