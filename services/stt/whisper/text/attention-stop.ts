/** Tells a text when to stop by what its tokens attend to in the audio (AlignAtt, arXiv 2305.11408). */
export interface AttentionStop {
  /**
   * Whether the text is over before the token that was chosen with this attention, one row of [heads, positions]: what
   * it attends to may not be whole yet, or was said before.
   */
  isOver(attention: Float32Array): boolean
}

export interface AttendedAudio {
  readonly heads: number
  readonly positions: number
  /** Positions that hold audio; the rest is padding. */
  readonly audioPositions: number
}

/** Words that attend to the last 0.2 s change with the next sound more often than not. */
const EDGE_POSITIONS = 10
/** A token that attends to audio a second before that of the token before it repeats what was said. */
const REWIND_POSITIONS = 50

export function createAttentionStop(audio: AttendedAudio): AttentionStop {
  let last = 0
  return {
    isOver(attention) {
      const position = attendedPosition(attention, audio)
      const isRewinding = last - position > REWIND_POSITIONS
      last = position
      return isRewinding || position >= audio.audioPositions - EDGE_POSITIONS
    },
  }
}

/** Where in the audio the heads look most, together and over three positions. */
export function attendedPosition(attention: Float32Array, audio: AttendedAudio): number {
  const width = Math.min(audio.audioPositions, audio.positions)
  const sums = new Float64Array(width + 2)
  for (let head = 0; head < audio.heads; head += 1) {
    const from = head * audio.positions
    for (let at = 0; at < width; at += 1) sums[at + 1] = (sums[at + 1] as number) + (attention[from + at] as number)
  }
  let best = 0
  let most = Number.NEGATIVE_INFINITY
  for (let at = 0; at < width; at += 1) {
    const sum = (sums[at] as number) + (sums[at + 1] as number) + (sums[at + 2] as number)
    if (sum <= most) continue
    most = sum
    best = at
  }
  return best
}
