import { SpeechError } from '../../errors.ts'
import { type Box, boxesOf, findBoxes, longNumberIn, numberIn } from './mp4-boxes.ts'
import type { Mp4Track } from './mp4-track.ts'

/** Where a frame of sound lies, counted from the start of the stream. */
export interface Mp4Frame {
  readonly start: number
  readonly size: number
}

/** Three hours of frames of 20 ms: a few bytes may say that there are many more. */
export const MAX_FRAMES = 3 * 60 * 60 * 50

/** The frames that an index lists itself, by the tables of its track (ISO 14496-12 §8.7). */
export function framesOfIndex(index: Uint8Array, { box: track }: Mp4Track): Mp4Frame[] {
  const table = (type: string): Box | undefined => findBoxes(index, `mdia/minf/stbl/${type}`, track).at(0)
  const sizes = table('stsz')
  const runs = table('stsc')
  const short = table('stco')
  const offsets = short ?? table('co64')
  if (!sizes || !runs || !offsets) return []
  const sameSize = numberIn(index, sizes, 4)
  const count = Math.min(numberIn(index, sizes, 8), MAX_FRAMES)
  // A damaged table may say that it is longer than its box.
  const listed = Math.floor((offsets.end - offsets.bodyStart - 8) / (short ? 4 : 8))
  const chunks = Math.min(numberIn(index, offsets, 4), listed)
  const frames: Mp4Frame[] = []
  for (let chunk = 0, run = 0; chunk < chunks && frames.length < count; chunk += 1) {
    // A run holds from its first chunk, counted from 1, up to that of the next run.
    const isNext = run + 1 < numberIn(index, runs, 4) && numberIn(index, runs, 8 + 12 * (run + 1)) === chunk + 1
    if (isNext) run += 1
    let start = short ? numberIn(index, offsets, 8 + 4 * chunk) : longNumberIn(index, offsets, 8 + 8 * chunk)
    for (let left = numberIn(index, runs, 8 + 12 * run + 4); left > 0 && frames.length < count; left -= 1) {
      const size = sameSize || numberIn(index, sizes, 12 + 4 * frames.length)
      frames.push({ start, size })
      start += size
    }
  }
  return frames
}

/** How large a frame is where a fragment does not say so: by the index. */
export function usualFrameSize(index: Uint8Array, { id }: Mp4Track): number {
  const usual = findBoxes(index, 'moov/mvex/trex').find((box) => numberIn(index, box, 4) === id)
  return usual ? numberIn(index, usual, 16) : 0
}

// Flags of the boxes `tfhd` and `trun` (§8.8.7, §8.8.8): which fields they have.
const BASE_OFFSET = 0x1
const DESCRIPTION = 0x2
const USUAL_DURATION = 0x8
const USUAL_SIZE = 0x10
const DATA_OFFSET = 0x1
const FIRST_FLAGS = 0x4
const DURATION = 0x100
const SIZE = 0x200
const FLAGS = 0x400
const TIME_OFFSET = 0x800

/**
 * @param start of the fragment in the stream
 * @throws {@link SpeechError} 415 where it has more than `MAX_FRAMES`
 */
export function framesOfFragment(
  fragment: Uint8Array,
  start: number,
  { id, usualSize }: { readonly id: number; readonly usualSize: number },
): Mp4Frame[] {
  const frames: Mp4Frame[] = []
  for (const part of findBoxes(fragment, 'moof/traf')) {
    const boxes = boxesOf(fragment, part.bodyStart, part.end)
    const header = boxes.find(({ type }) => type === 'tfhd')
    if (!header || numberIn(fragment, header, 4) !== id) continue
    const flags = numberIn(fragment, header, 0)
    const afterBase = flags & BASE_OFFSET ? 16 : 8
    const sizeAt = afterBase + (flags & DESCRIPTION ? 4 : 0) + (flags & USUAL_DURATION ? 4 : 0)
    const base = flags & BASE_OFFSET ? longNumberIn(fragment, header, 8) : start
    const size = flags & USUAL_SIZE ? numberIn(fragment, header, sizeAt) : usualSize
    let next = base
    for (const run of boxes.filter(({ type }) => type === 'trun')) {
      next = addRun(frames, { fragment, run, base, next, usualSize: size })
    }
  }
  return frames
}

interface Run {
  readonly fragment: Uint8Array
  readonly run: Box
  readonly base: number
  /** Where the run before this one ends. */
  readonly next: number
  readonly usualSize: number
}

/** Returns where the run ends. */
function addRun(frames: Mp4Frame[], { fragment, run, base, next, usualSize }: Run): number {
  const flags = numberIn(fragment, run, 0)
  const count = numberIn(fragment, run, 4)
  if (frames.length + count > MAX_FRAMES) {
    throw new SpeechError(415, 'The M4A audio has a fragment that makes no sense.')
  }
  // How far from the base may be negative.
  let start = flags & DATA_OFFSET ? base + (numberIn(fragment, run, 8) | 0) : next
  const fields = [DURATION, SIZE, FLAGS, TIME_OFFSET].filter((field) => flags & field)
  const sizeField = fields.indexOf(SIZE)
  let at = 8 + (flags & DATA_OFFSET ? 4 : 0) + (flags & FIRST_FLAGS ? 4 : 0)
  for (let frame = 0; frame < count; frame += 1) {
    const size = sizeField === -1 ? usualSize : numberIn(fragment, run, at + 4 * sizeField)
    frames.push({ start, size })
    start += size
    at += 4 * fields.length
  }
  return start
}
