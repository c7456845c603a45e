import { SpeechError } from '../../errors.ts'
import { MAX_FRAMES, type Mp4Frame } from './mp4-frames.ts'

/** Takes an MP4 stream apart that is cut anywhere. */
export interface Mp4Reader {
  push(bytes: Uint8Array): void
  /** Undefined until more has come. @throws {@link SpeechError} 415 for what is no MP4. */
  next(): Mp4Item | undefined
  /** Frames that are on their way. @throws {@link SpeechError} 415 for more than can be. */
  expect(frames: readonly Mp4Frame[]): void
}

export type Mp4Item =
  /** A whole index or fragment header, and where in the stream it begins. */
  | { readonly type: 'moov' | 'moof'; readonly bytes: Uint8Array; readonly start: number }
  /** Sound begins, of frames that are expected by then. */
  | { readonly type: 'sound' }
  | { readonly type: 'frame'; readonly bytes: Uint8Array }

const HEAD_BYTES = 8
const LONG_HEAD_BYTES = 16
/** Three hours of sound have an index of a megabyte or two; it may hold a picture, too. */
const MAX_INDEX_BYTES = 8 << 20
/** Much more than any frame of sound. */
const MAX_FRAME_BYTES = 1 << 20

export function createMp4Reader(): Mp4Reader {
  let held: Uint8Array = new Uint8Array(0)
  /** Where in the stream that begins. */
  let start = 0
  /** What has come since, and how much has to come before it is looked at. */
  let waiting: Uint8Array[] = []
  let missingBytes = 0
  /** In the order of the stream, from `nextFrame` on. */
  let frames: Mp4Frame[] = []
  let nextFrame = 0
  /** Where the box ends whose content is passed over but for frames. */
  let bodyEnd = 0

  /** All that is held, if there is as much. */
  function take(count: number): Uint8Array | undefined {
    if (held.length < count) {
      missingBytes = count - held.length
      return undefined
    }
    const taken = held.slice(0, count)
    skip(count)
    return taken
  }

  function skip(count: number): void {
    held = held.subarray(count)
    start += count
  }

  function skipTo(place: number): void {
    skip(Math.min(held.length, Math.max(0, place - start)))
  }

  /** It lies before what was read last, or is none. */
  function isLost(frame: Mp4Frame | undefined): boolean {
    return frame !== undefined && (frame.start < start || frame.size === 0)
  }

  function frameOfBody(): Mp4Item | undefined {
    if (start >= bodyEnd) return undefined
    while (isLost(frames[nextFrame])) nextFrame += 1
    const frame = frames[nextFrame]
    if (!frame || frame.start + frame.size > bodyEnd) {
      skipTo(bodyEnd)
      return undefined
    }
    if (frame.size > MAX_FRAME_BYTES) throw broken()
    skipTo(frame.start)
    const bytes = start === frame.start ? take(frame.size) : undefined
    if (!bytes) return undefined
    nextFrame += 1
    return { type: 'frame', bytes }
  }

  return {
    push(bytes) {
      waiting.push(new Uint8Array(bytes))
      missingBytes -= bytes.length
    },
    next() {
      if (missingBytes > 0) return undefined
      held = Buffer.concat([held, ...waiting])
      waiting = []
      for (;;) {
        const frame = frameOfBody()
        if (frame || start < bodyEnd) return frame
        const head = readHead(held)
        if (!head) return undefined
        const { type, headBytes, size } = head
        if (type === 'moov' || type === 'moof') {
          if (size > MAX_INDEX_BYTES) throw broken()
          const at = start
          const bytes = take(size)
          return bytes && { type, bytes, start: at }
        }
        bodyEnd = start + size
        skip(headBytes)
        if (type === 'mdat') return { type: 'sound' }
      }
    },
    expect(more) {
      frames = [...frames.slice(nextFrame), ...more].toSorted((one, other) => one.start - other.start)
      if (frames.length > MAX_FRAMES) throw broken()
      nextFrame = 0
    },
  }
}

interface Head {
  readonly type: string
  readonly headBytes: number
  /** Of the whole box. */
  readonly size: number
}

/** Undefined while it is not there yet. */
function readHead(bytes: Uint8Array): Head | undefined {
  if (bytes.length < HEAD_BYTES) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const type = Buffer.from(bytes.subarray(4, 8)).toString('latin1')
  const short = view.getUint32(0)
  if (short === 1) {
    if (bytes.length < LONG_HEAD_BYTES) return undefined
    const size = Number(view.getBigUint64(8))
    if (size < LONG_HEAD_BYTES || !Number.isSafeInteger(size)) throw broken()
    return { type, headBytes: LONG_HEAD_BYTES, size }
  }
  // It goes on to the end of the stream.
  if (short === 0) return { type, headBytes: HEAD_BYTES, size: Number.MAX_SAFE_INTEGER / 2 }
  if (short < HEAD_BYTES) throw broken()
  return { type, headBytes: HEAD_BYTES, size: short }
}

function broken(): SpeechError {
  return new SpeechError(415, 'The M4A stream is broken: it is not MP4.')
}
