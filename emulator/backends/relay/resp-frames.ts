/** RESP, as far as it takes to know where a command or a reply ends (redis.io, "RESP protocol specification"). */

export interface RespTrack {
  /** Calls `onItem` for each command or reply that ends in this chunk. */
  push(chunk: Buffer): void
}

export interface RespItem {
  /** Its first short strings, in order, as many as were asked for; a longer one is there as an empty one. */
  readonly words: readonly string[]
  /** Where in the chunk the next one begins. */
  readonly end: number
  /** `*`, `+`, `>` and so on; a command without any is an inline one. */
  readonly type: string
}

/** No name of a command and no option is longer. */
const LONGEST_WORD = 32
/** Bytes of the line end after a string. */
const LINE_END = 2

/**
 * Follows one direction of a connection, looking at headers and the first words of each item only: it sees every byte
 * between the services and Redis.
 */
export function trackResp(onItem: (item: RespItem) => void, keptWords = 0): RespTrack {
  /** Of a line that is cut. */
  let line: Buffer | undefined
  /** Of a string, its line end among them. */
  let skip = 0
  /** Of the strings of a command, the one that is being read; undefined while it is skipped. */
  let word: string | undefined
  let words: string[] = []
  let type = 0
  /** Elements still to come before the item is complete. */
  let missing = 1

  function element(end: number): void {
    missing -= 1
    if (missing > 0) return
    const item = { words, end, type: String.fromCharCode(type) }
    missing = 1
    if (words.length > 0) words = []
    type = 0
    onItem(item)
  }

  /** @param from to `to` is a line without its end. */
  function header(bytes: Buffer, from: number, to: number, end: number): void {
    const first = bytes[from] ?? 0
    const kind = KINDS[first]
    if (type === 0) type = first
    if (kind === undefined) {
      words = bytes.toString('latin1', from, to).trim().split(/\s+/).slice(0, keptWords)
      return element(end)
    }
    const count = kind === 'line' ? -1 : numberAt(bytes, from + 1, to)
    if (kind === 'aggregate' && count > 0) {
      missing += (first === MAP || first === ATTRIBUTE ? 2 * count : count) - 1
      // Attributes come before the reply they belong to.
      if (first === ATTRIBUTE) missing += 1
    } else if (kind === 'string' && count >= 0) {
      skip = count + LINE_END
      word = words.length < keptWords && count <= LONGEST_WORD ? '' : undefined
    } else {
      element(end)
    }
  }

  function string(chunk: Buffer, at: number): number {
    const taken = Math.min(skip, chunk.length - at)
    if (word !== undefined) word += chunk.toString('latin1', at, at + taken)
    skip -= taken
    if (skip > 0) return at + taken
    if (words.length < keptWords) words.push(word?.slice(0, -LINE_END) ?? '')
    element(at + taken)
    return at + taken
  }

  function nextLine(chunk: Buffer, at: number): number {
    const found = chunk.indexOf(NEW_LINE, at)
    const end = found < 0 ? chunk.length : found + 1
    if (found < 0 || line) {
      const part = chunk.subarray(at, end)
      line = line ? Buffer.concat([line, part]) : Buffer.from(part)
      if (found < 0) return end
    }
    const [bytes, from, to] = line ? [line, 0, line.length - 1] : [chunk, at, found]
    line = undefined
    const last = bytes[to - 1] === RETURN ? to - 1 : to
    if (last > from) header(bytes, from, last, end)
    return end
  }

  return {
    push(chunk) {
      let at = 0
      while (at < chunk.length) at = skip > 0 ? string(chunk, at) : nextLine(chunk, at)
    },
  }
}

const NEW_LINE = 0x0a
const RETURN = 0x0d
const ZERO = 0x30
const MINUS = 0x2d
const MAP = code('%')
const ATTRIBUTE = code('|')

/** What begins with a byte: elements, bytes, or no more than its line. Anything else is a command typed by hand. */
const KINDS: readonly ('aggregate' | 'string' | 'line' | undefined)[] = Array.from({ length: 256 }, (_, byte) => {
  const first = String.fromCharCode(byte)
  if ('*%~>|'.includes(first)) return 'aggregate'
  if ('$=!'.includes(first)) return 'string'
  return '+-:_,#('.includes(first) ? 'line' : undefined
})

/** Negative ones, which stand for null, are all -1. */
function numberAt(bytes: Buffer, from: number, to: number): number {
  if (bytes[from] === MINUS) return -1
  let value = 0
  for (let at = from; at < to; at += 1) value = value * 10 + (bytes[at] ?? ZERO) - ZERO
  return value
}

function code(character: string): number {
  return character.charCodeAt(0)
}
