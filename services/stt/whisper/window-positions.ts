/** Two frames of the spectrogram, 20 ms. */
export const FRAMES_PER_POSITION = 2
const POSITIONS_PER_SECOND = 50

/** The positions of a window that the encoder works on: lists of one number each. */
export interface WindowPositions {
  /** How long a spectrogram they need. */
  readonly frames: number
  /** Which position of the spectrogram each holds. */
  readonly sources: readonly number[]
  /** Its place in the model's window. */
  readonly places: readonly number[]
  /** For how many positions it stands. */
  readonly counts: readonly number[]
}

/** The silence that fills a window up to 30 s: every position of it, or few that stand for all. */
export type Padding = 'full' | 'coarse'

// Convolutions reach two positions beyond what they look at: the last position that is silence alone, and nothing else.
const SILENCE_AFTER = 2
const REACH = 2

/** Silence right after the sound tells that nothing follows: position by position. */
const FINE_POSITIONS = 16
/** After that each position stands for a quarter of its distance from them, … */
const SHARE = 1 / 4
/** … and for a little more than a second at most. */
const MOST_POSITIONS = 64

/**
 * Whisper hears best in a window of 30 s, as it was trained, and most of a short one is silence of which every position
 * says nearly the same. A few of them, with attention to each weighed by how many it stands for, do as well.
 *
 * @param longest positions of the model's window
 */
export function windowPositions(audioSeconds: number, padding: Padding, longest: number): WindowPositions {
  const audio = Math.min(longest, Math.ceil(audioSeconds * POSITIONS_PER_SECOND))
  const computed = audio + SILENCE_AFTER + REACH
  if (padding === 'full' || computed >= longest) return everyPosition(longest)

  const sources: number[] = []
  const places: number[] = []
  const counts: number[] = []
  for (let place = 0; place < longest;) {
    const wanted = Math.floor((place - audio - FINE_POSITIONS) * SHARE)
    const count = Math.min(Math.max(1, wanted), MOST_POSITIONS, longest - place)
    sources.push(Math.min(place, audio + SILENCE_AFTER))
    places.push(place + Math.floor(count / 2))
    counts.push(count)
    place += count
  }
  return { frames: computed * FRAMES_PER_POSITION, sources, places, counts }
}

/** All positions of a window, each for itself. */
export function everyPosition(count: number): WindowPositions {
  const places = Array.from({ length: count }, (_, place) => place)
  return { frames: count * FRAMES_PER_POSITION, sources: places, places, counts: places.map(() => 1) }
}
