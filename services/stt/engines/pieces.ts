import { SAMPLE_RATE_HZ } from '../audio/format.ts'
import type { Segment } from '../vad/segmenter.ts'

/** A stretch of a recording that is recognised in one window, in samples. */
export type Piece = Segment

/** Whisper's window is 30 s; what comes close to its end is heard badly. */
export const MAX_PIECE_SECONDS = 28

// Sound around speech: Whisper clips first words without it.
export const PAD_SECONDS = 0.3
// A pause is worth leaving out when it is longer than this: a window with a long silence invites invented words.
const LONG_PAUSE_SECONDS = 3

/**
 * Divides the speech of a recording into pieces of at most {@link MAX_PIECE_SECONDS}, at the longest pauses there are.
 * A recording that fits a window with no long pause stays whole.
 */
export function piecesOf(segments: readonly Segment[], totalSamples: number): Piece[] {
  if (segments.length === 0) return []
  const edges: Segment[] = [
    { startSample: 0, endSample: 0 },
    ...segments,
    { startSample: totalSamples, endSample: totalSamples },
  ]
  const hasLongPause = groupsOf(edges).length > 1
  if (!hasLongPause && totalSamples <= MAX_PIECE_SECONDS * SAMPLE_RATE_HZ)
    return [{ startSample: 0, endSample: totalSamples }]

  const padded = segments.map((segment) => pad(segment, totalSamples))
  return groupsOf(padded).flatMap((group) => divide(group))
}

function groupsOf(segments: readonly Segment[]): Segment[][] {
  const groups: Segment[][] = []
  for (const segment of segments) {
    const group = groups.at(-1)
    const previous = group?.at(-1)
    if (!group || !previous || segment.startSample - previous.endSample > LONG_PAUSE_SECONDS * SAMPLE_RATE_HZ) {
      groups.push([segment])
    } else {
      group.push(segment)
    }
  }
  return groups
}

function divide(group: readonly Segment[]): Piece[] {
  const first = group[0]
  const last = group.at(-1)
  if (!first || !last) return []
  const whole = { startSample: first.startSample, endSample: last.endSample }
  const most = MAX_PIECE_SECONDS * SAMPLE_RATE_HZ
  if (whole.endSample - whole.startSample <= most) return [whole]
  if (group.length === 1) return slices(whole, most)

  const at = longestPause(group)
  return [...divide(group.slice(0, at)), ...divide(group.slice(at))]
}

/** Index of the segment after the longest pause of the middle, so that no piece is a crumb; else of any pause. */
function longestPause(group: readonly Segment[]): number {
  const start = group[0]?.startSample ?? 0
  const length = (group.at(-1)?.endSample ?? 0) - start
  const pauses = group.slice(1).map((segment, index) => {
    const from = group[index]?.endSample ?? 0
    return { at: index + 1, length: segment.startSample - from, place: (segment.startSample - start) / length }
  })
  const middle = pauses.filter(({ place }) => place > 0.2 && place < 0.8)
  const [best] = (middle.length > 0 ? middle : pauses).toSorted((a, b) => b.length - a.length)
  return best?.at ?? 1
}

/** Speech without any pause for longer than a window: equal parts, wherever they fall. */
function slices({ startSample, endSample }: Piece, most: number): Piece[] {
  const count = Math.ceil((endSample - startSample) / most)
  const each = Math.ceil((endSample - startSample) / count)
  return Array.from({ length: count }, (_, index) => ({
    startSample: startSample + index * each,
    endSample: Math.min(endSample, startSample + (index + 1) * each),
  }))
}

function pad({ startSample, endSample }: Segment, totalSamples: number): Segment {
  const padding = PAD_SECONDS * SAMPLE_RATE_HZ
  return {
    startSample: Math.max(0, startSample - padding),
    endSample: Math.min(totalSamples, endSample + padding),
  }
}
