import { DIGIT, type Range, SPACE, WORD, complementOf, range } from './syntax.ts'

/** Reads a text from its start to its end. */
export interface Reader {
  atEnd(): boolean
  rest(): string
  /** Whether `character` comes next. */
  sees(character: string): boolean
  /** Goes past `character` when it comes next. */
  take(character: string): boolean
  next(): string
  skip(count: number): void
}

/** One character, or one of several. */
export type Character = { readonly code: number } | { readonly ranges: readonly Range[] }

export function createReader(source: string): Reader {
  let at = 0
  return {
    atEnd: () => at >= source.length,
    rest: () => source.slice(at),
    sees: (character) => source[at] === character,
    take(character) {
      if (source[at] !== character) return false
      at += 1
      return true
    },
    next() {
      const character = source[at]
      if (character === undefined) throw new SyntaxError('it ends too early')
      at += 1
      return character
    },
    skip(count) {
      at += count
    },
  }
}

const CLASSES: Readonly<Record<string, readonly Range[]>> = {
  d: DIGIT,
  D: complementOf(DIGIT),
  w: WORD,
  W: complementOf(WORD),
  s: SPACE,
  S: complementOf(SPACE),
}

const CONTROLS: Readonly<Record<string, number>> = { t: 9, n: 10, v: 11, f: 12, r: 13 }

/** What follows a backslash, in and outside of brackets. */
export function readEscape(reader: Reader): Character {
  const letter = reader.next()
  const ranges = CLASSES[letter]
  if (ranges) return { ranges }
  const control = CONTROLS[letter]
  if (control !== undefined) return { code: control }
  if (letter === 'x') return { code: readHex(reader) }
  if (letter === 'p' || letter === 'P') throw new SyntaxError('Unicode classes are not supported')
  if (letter >= '1' && letter <= '9') throw new SyntaxError('backreferences are not supported')
  if (/[A-Za-z0-9]/.test(letter)) throw new SyntaxError(`\\${letter} is not supported`)
  return { code: letter.charCodeAt(0) }
}

function readHex(reader: Reader): number {
  const digits = /^[0-9A-Fa-f]{2}/.exec(reader.rest())
  if (!digits) throw new SyntaxError('\\x needs two hexadecimal digits')
  reader.skip(2)
  return Number.parseInt(digits[0], 16)
}

/** What follows an opening bracket, with the closing one. */
export function readSet(reader: Reader): { ranges: readonly Range[]; isNegated: boolean } {
  const isNegated = reader.take('^')
  const ranges: Range[] = []
  let isFirst = true
  while (isFirst || !reader.sees(']')) {
    if (reader.atEnd()) throw new SyntaxError('missing ]')
    ranges.push(...readRanges(reader))
    isFirst = false
  }
  reader.skip(1)
  return { ranges, isNegated }
}

function readRanges(reader: Reader): readonly Range[] {
  const posix = /^\[:(\w+):\]/.exec(reader.rest())
  if (posix) {
    const ranges = POSIX[posix[1] ?? '']
    if (!ranges) throw new SyntaxError(`${posix[0]} is not supported`)
    reader.skip(posix[0].length)
    return ranges
  }
  const first = readMember(reader)
  if ('ranges' in first) return first.ranges
  // A hyphen at the end stands for itself.
  const isRange = reader.sees('-') && reader.rest()[1] !== ']' && reader.rest().length > 1
  if (!isRange) return [{ from: first.code, to: first.code }]
  reader.skip(1)
  const last = readMember(reader)
  if ('ranges' in last || last.code < first.code) throw new SyntaxError('a range is out of order')
  return [{ from: first.code, to: last.code }]
}

function readMember(reader: Reader): Character {
  return reader.take('\\') ? readEscape(reader) : { code: reader.next().charCodeAt(0) }
}

const UPPER = range('A', 'Z')
const LOWER = range('a', 'z')

const POSIX: Readonly<Record<string, readonly Range[]>> = {
  alpha: [UPPER, LOWER],
  digit: DIGIT,
  alnum: [...DIGIT, UPPER, LOWER],
  upper: [UPPER],
  lower: [LOWER],
  space: SPACE,
  word: WORD,
  xdigit: [...DIGIT, range('A', 'F'), range('a', 'f')],
  punct: [range('!', '/'), range(':', '@'), range('[', '`'), range('{', '~')],
}
