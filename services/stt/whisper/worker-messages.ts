import type { WindowRequest } from './recognise-window.ts'
import type { Recognition } from './recogniser.ts'
import type { SpeechFailure } from '../../wire/speech.ts'

/** What a worker thread is started with. */
export interface WorkerData {
  readonly modelDir: string
  readonly threads: number
  /** One 32-bit number: the id of the request to stop, written by the main thread. */
  readonly cancelled: SharedArrayBuffer
}

export interface WorkerRequest {
  readonly id: number
  readonly samples: Float32Array
  readonly request: WindowRequest
}

export type WorkerReply =
  | { readonly type: 'ready' }
  | { readonly type: 'done'; readonly id: number; readonly recognition: Recognition }
  /** Without `failure` the fault is ours, and `message` says where. */
  | { readonly type: 'failed'; readonly id: number; readonly message: string; readonly failure?: SpeechFailure }
