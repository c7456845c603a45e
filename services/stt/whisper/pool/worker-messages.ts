import type { WindowRequest } from '../recognise-window.ts'
import type { Recognition } from '../port.ts'
import type { Device } from '../../../wire/device.ts'
import type { SpeechFailure } from '../../../wire/speech.ts'

/** What a worker thread is started with. */
export interface WorkerData {
  readonly modelDir: string
  readonly threads: number
  /** Of the encoder while no other worker works, on the CPU; the same when absent. */
  readonly loneThreads?: number
  /** The CPU when absent. */
  readonly device?: Device
  /** On the CPU, when a GPU fails; the same when absent. */
  readonly fallbackThreads?: number
  /** Whether the worker starts on the CPU where the device does not take it. */
  readonly mayFallBack?: boolean
  /** A 32-bit number for each of {@link LANES}, written by the main thread: the id of the request to stop, or `STOP_ALL`. */
  readonly cancelled: SharedArrayBuffer
  /** One 32-bit number, written by the main thread: how many workers work. */
  readonly busy: SharedArrayBuffer
}

/** In place of a request's id: stop whatever runs. */
export const STOP_ALL = -1

/** A worker answers one request of each at a time: a file's waits, between two steps, while somebody speaks. */
export const LANES = ['live', 'file'] as const
export type Lane = (typeof LANES)[number]

export function laneOf({ priority }: Pick<WindowRequest, 'priority'>): Lane {
  return priority === 'file' ? 'file' : 'live'
}

export type WorkerMessage = WorkerRequest | { readonly type: 'stop' }

export interface WorkerRequest {
  readonly type: 'recognise'
  readonly id: number
  /** One that somebody speaks, or several of a file that are written together. */
  readonly windows: readonly Float32Array[]
  readonly request: WindowRequest
}

export type WorkerReply = { readonly type: 'ready' } | WorkerWarning | WorkerMove | WorkerAnswer

/** The worker goes on, but not as well as it should. */
export interface WorkerWarning {
  readonly type: 'warning'
  readonly message: string
}

/** The GPU failed the worker; the CPU computes from now on. */
export interface WorkerMove {
  readonly type: 'moved'
  /** What the GPU failed with. */
  readonly message: string
}

export type WorkerAnswer =
  | { readonly type: 'done'; readonly id: number; readonly recognitions: readonly Recognition[] }
  /** Without `failure` the fault is ours, and `message` says where. */
  | { readonly type: 'failed'; readonly id: number; readonly message: string; readonly failure?: SpeechFailure }
