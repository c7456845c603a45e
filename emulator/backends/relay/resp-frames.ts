/** RESP, as far as it takes to know where a command or a reply ends (redis.io, "RESP protocol specification"). */

export interface RespTrack {
  /** Calls `onItem` for each command or reply that ends in this chunk. */
  push(chunk: Buffer): void
}

export interface RespItem {
  /** Its short strings, in order; a longer one is there as an empty one. */
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

/** Follows one direction of a connection, looking at headers and short words only. */
export function trackResp(onItem: (item: RespItem) => void): RespTrack {
  /** Of a line that is cut. */
  let line = ''
  /** Of a string, its line end among them. */
  let skip = 0
  /** Of the strings of a command, the one that is being read; undefined while it is skipped. */
  let word: string | undefined
  let words: string[] = []
  let type = ''
  /** Elements still to come before the item is complete. */
  let missing = 1

  function element(end: number): void {
    missing -= 1
    if (missing > 0) return
    const item = { words, end, type }
    missing = 1
    words = []
    type = ''
    onItem(item)
  }

  function header(text: string, end: number): void {
    const first = text[0] ?? ''
    const count = Number(text.slice(1))
    if (type === '') type = first
    if (AGGREGATES.has(first) && count > 0) {
      missing += (first === '%' || first === '|' ? 2 * count : count) - 1
      // Attributes come before the reply they belong to.
      if (first === '|') missing += 1
    } else if (STRINGS.has(first) && count >= 0) {
      skip = count + LINE_END
      word = count <= LONGEST_WORD ? '' : undefined
    } else {
      if (!SIMPLE.has(first)) words = text.trim().split(/\s+/)
      element(end)
    }
  }

  return {
    push(chunk) {
      let at = 0
      while (at < chunk.length) {
        if (skip > 0) {
          const taken = Math.min(skip, chunk.length - at)
          if (word !== undefined) word += chunk.toString('latin1', at, at + taken)
          skip -= taken
          at += taken
          if (skip > 0) return
          words.push(word?.slice(0, -LINE_END) ?? '')
          element(at)
        } else {
          const found = chunk.indexOf(0x0a, at)
          const end = found < 0 ? chunk.length : found + 1
          line += chunk.toString('latin1', at, end)
          at = end
          if (found < 0) return
          const text = line.replace(/\r?\n$/, '')
          line = ''
          if (text !== '') header(text, at)
        }
      }
    },
  }
}

const AGGREGATES = new Set(['*', '%', '~', '>', '|'])
const STRINGS = new Set(['$', '=', '!'])
/** One line each; null and empty aggregates and strings are too. */
const SIMPLE = new Set(['+', '-', ':', '_', ',', '#', '(', '*', '%', '~', '>', '|', '$', '=', '!'])
