import { SAMPLE_RATE_HZ } from '../audio/format.ts'
import type { Segment } from '../vad/segmenter.ts'
import type { CutPlace } from './quietest-place.ts'

/** A stretch of a recording that is recognised in one window, in samples. */
export type Piece = Segment

/**
 * Half of Whisper's window: measured, words are heard as well as in pieces of 28 s, for less, because attention grows with the square of the
 * length; more workers share a file; and live streams wait less for a piece to be done.
 */
export const MAX_PIECE_SECONDS = 15

// Sound around speech: Whisper clips first words without it.
export const PAD_SECONDS = 0.3
// A pause is worth leaving out when it is longer than this: a window with a long silence invites invented words.
const LONG_PAUSE_SECONDS = 3
// Speech without a pause is cut where it is quietest, so far from the even division at most: some word ends in between.
const CUT_SEARCH_SECONDS = 2

/**
 * Divides the speech of a recording into pieces of at most {@link MAX_PIECE_SECONDS}, at the longest pauses there are.
 * A recording that fits a window with no long pause stays whole.
 */
export function piecesOf(segments: readonly Segment[], totalSamples: number, cutPlace: CutPlace): Piece[] {
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
  return groupsOf(padded).flatMap((group) => divide(group, cutPlace))
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

function divide(group: readonly Segment[], cutPlace: CutPlace): Piece[] {
  const first = group[0]
  const last = group.at(-1)
  if (!first || !last) return []
  const whole = { startSample: first.startSample, endSample: last.endSample }
  const most = MAX_PIECE_SECONDS * SAMPLE_RATE_HZ
  if (whole.endSample - whole.startSample <= most) return [whole]
  if (group.length === 1) return slices(whole, most, cutPlace)

  const at = longestPause(group)
  return [...divide(group.slice(0, at), cutPlace), ...divide(group.slice(at), cutPlace)]
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

/** Speech without any pause for longer than a window: about equal parts. */
function slices({ startSample, endSample }: Piece, most: number, cutPlace: CutPlace): Piece[] {
  const count = Math.ceil((endSample - startSample) / most)
  const each = (endSample - startSample) / count
  const search = CUT_SEARCH_SECONDS * SAMPLE_RATE_HZ
  const edges = [startSample]
  for (let index = 1; index < count; index += 1) {
    const even = startSample + Math.round(index * each)
    // What is left has to fit into the other pieces.
    const earliest = Math.max(even - search, endSample - (count - index) * most)
    const latest = Math.min(even + search, (edges.at(-1) ?? startSample) + most)
    edges.push(cutPlace(earliest, latest))
  }
  return edges.map((edge, index) => ({ startSample: edge, endSample: edges[index + 1] ?? endSample }))
}

function pad({ startSample, endSample }: Segment, totalSamples: number): Segment {
  const padding = PAD_SECONDS * SAMPLE_RATE_HZ
  return {
    startSample: Math.max(0, startSample - padding),
    endSample: Math.min(totalSamples, endSample + padding),
  }
}
