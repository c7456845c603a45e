/** Reads the chunked coding (RFC 9112 §7.1), strictly: CRLF and nothing else ends a line. */
export interface ChunkedReader {
  /**
   * Reads on from `offset` and returns where it stopped: the end of the bytes, or of the body. `take` gets the content.
   * @throws MalformedChunkError
   */
  read(bytes: Buffer, offset: number, take: (content: Buffer) => void): number
  readonly isDone: boolean
  /** Names and values in turn, complete when the body is. */
  readonly trailers: readonly string[]
}

class MalformedChunkError extends Error {}

/** A size of more digits could not be counted exactly. */
const MAX_SIZE_DIGITS = 13
/** A size with its extensions, and all trailers. */
const MAX_LINE_BYTES = 16 * 1024
const MAX_TRAILER_BYTES = 64 * 1024
const CR = 0x0d
const LF = 0x0a
const SIZE_LINE = /^([0-9a-fA-F]+)(?:[ \t]*;[\t\x20-\x7e\x80-\xff]*)?$/
const TRAILER_LINE = /^([\w!#$%&'*+.^`|~-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*$/

export function createChunkedReader(): ChunkedReader {
  const trailers: string[] = []
  let state: 'size' | 'content' | 'after-content' | 'trailers' | 'done' = 'size'
  let left = 0
  let line = ''
  let trailerBytes = 0

  /** Collects a line; returns where it ends, and undefined in `whole` until it has. */
  function readLine(bytes: Buffer, offset: number): { end: number; whole: string | undefined } {
    const lineEnd = bytes.indexOf(LF, offset)
    const end = lineEnd === -1 ? bytes.length : lineEnd + 1
    line += bytes.toString('latin1', offset, end)
    if (line.length > MAX_LINE_BYTES) throw new MalformedChunkError('A line of the body is too long.')
    if (lineEnd === -1) return { end, whole: undefined }
    if (line.codePointAt(line.length - 2) !== CR) throw new MalformedChunkError('A line of the body ends without CR.')
    const whole = line.slice(0, -2)
    line = ''
    return { end, whole }
  }

  function takeSize(text: string): void {
    const digits = SIZE_LINE.exec(text)?.[1]
    if (digits === undefined || digits.length > MAX_SIZE_DIGITS) throw new MalformedChunkError('A chunk has no size.')
    left = Number.parseInt(digits, 16)
    state = left === 0 ? 'trailers' : 'content'
  }

  function takeTrailer(text: string): void {
    if (text === '') {
      state = 'done'
      return
    }
    const [, name, value] = TRAILER_LINE.exec(text) ?? []
    trailerBytes += text.length
    if (name === undefined || value === undefined || trailerBytes > MAX_TRAILER_BYTES) {
      throw new MalformedChunkError('A trailer is malformed.')
    }
    trailers.push(name, value)
  }

  return {
    read(bytes, offset, take) {
      let at = offset
      while (at < bytes.length && state !== 'done') {
        if (state === 'content') {
          const end = Math.min(bytes.length, at + left)
          take(bytes.subarray(at, end))
          left -= end - at
          at = end
          if (left === 0) state = 'after-content'
          continue
        }
        const { end, whole } = readLine(bytes, at)
        at = end
        if (whole === undefined) continue
        if (state === 'size') takeSize(whole)
        else if (state === 'trailers') takeTrailer(whole)
        else if (whole === '') state = 'size'
        else throw new MalformedChunkError('A chunk is longer than its size.')
      }
      return at
    },
    get isDone() {
      return state === 'done'
    },
    trailers,
  }
}
