import type { AudioFormat } from '../audio/format.ts'
import type { SpeechError } from '../errors.ts'
import type { Heard } from './ears.ts'

/** What the listening thread is started with. */
export interface EarData {
  /** Silero VAD as ONNX. */
  readonly vadModelFile: string
}

/** One stream is one `ear`; its messages are worked on in order, each `push` and `finish` answered once. */
export type EarRequest =
  | { readonly type: 'open'; readonly ear: number; readonly format: AudioFormat; readonly maxSeconds: number }
  | { readonly type: 'push'; readonly ear: number; readonly audio: Uint8Array }
  | { readonly type: 'finish'; readonly ear: number }
  | { readonly type: 'close'; readonly ear: number }
  /** Forget all streams and end the thread, between two judgements. */
  | { readonly type: 'stop' }

export type EarReply =
  | { readonly type: 'ready' }
  | { readonly type: 'heard'; readonly ear: number; readonly heard: Heard }
  | {
      readonly type: 'failed'
      readonly ear: number
      readonly message: string
      /** Of audio that is refused; undefined for what should not have happened. */
      readonly status: SpeechError['status'] | undefined
    }
