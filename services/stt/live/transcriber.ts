import type { Known, Recognition } from '../whisper/port.ts'
import type { Voice } from './voice-track.ts'

/** Recognises one window of a live stream. Times in the answer count from the window's start. */
export type Transcribe = (window: Window) => Promise<Recognition>

/**
 * What a window is for decides speed against care: `interim` text is shown and replaced; `final` text stays; `cut`
 * looks for a place to divide long speech, and the words before that place stay.
 */
export type Purpose = 'interim' | 'final' | 'cut'

export interface Window {
  readonly purpose: Purpose
  /** Asked for once, when there is a worker for it: the newest there are. */
  readonly samples: () => Float32Array
  /** Position of the first sample in the stream. */
  readonly startSample: number
  /** What the detector heard in it. */
  readonly voice: Voice
  /** What the window begins with. A server that cannot take it as given answers it as well. */
  readonly known?: Known
  /** What the last interim of the same speech said after that: most of what this one will. */
  readonly draft?: string
  /** What interims have shown of it: a final says it too, unless something else is likelier. */
  readonly rival?: string
  /** Of a final that is begun before it is known to be one: whether it is by now. */
  readonly isDue?: () => boolean
  readonly signal: AbortSignal
}
