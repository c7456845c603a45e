import type { FormData } from '../../../wire/undici.ts'
import type { SpeechMessage, Transcript } from '../../../wire/speech.ts'
import type { FileOptions, SpeechStream, StreamOptions } from '../port.ts'

/** Another speech server, as the engine `forward` uses it. Its kind is told by its path. */
export interface Upstream {
  readonly url: URL
  /** The words of a file, for `exchange` to send and to read. */
  readonly file: FileExchange
  /** Absent where it takes files only: the live policy then cuts the stream into pieces. */
  readonly openStream?: (options: StreamOptions, send: (message: SpeechMessage) => void) => Promise<SpeechStream>
}

export interface FileExchange {
  request(file: UpstreamFile): UpstreamRequest
  /** @throws Error for an answer that is none. */
  read(answer: unknown, file: UpstreamFile): UpstreamTranscript
}

export interface UpstreamFile extends Omit<FileOptions, 'signal'> {
  readonly bytes: Uint8Array
}

export interface UpstreamRequest {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | FormData
}

/** What of a transcript another server knows. */
export type UpstreamTranscript = Pick<Transcript, 'text' | 'words' | 'confidence'> &
  Partial<Pick<Transcript, 'audioSeconds' | 'channels' | 'language' | 'languageConfidence'>>

export interface UpstreamOptions {
  readonly key: string | undefined
  readonly model: string | undefined
}
