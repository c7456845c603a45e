import type { Tokenizer } from '../text/tokenizer.ts'

/** Consecutive tokens that make one written word, punctuation included. */
export interface WordGroup {
  /** As decoded, usually with a space in front. */
  readonly text: string
  /** Index of its first token in the list that was grouped. */
  readonly first: number
  readonly count: number
  /** Tokens of the word itself, without punctuation around it: they carry its time and confidence. */
  readonly coreFirst: number
  readonly coreCount: number
}

type Decoder = Pick<Tokenizer, 'decode'>

/** Languages written without spaces: each character is a word. */
const UNSPACED_LANGUAGES: ReadonlySet<string> = new Set(['zh', 'ja', 'th', 'lo', 'my', 'yue'])

const ONLY_PUNCTUATION = /^[\s\p{P}\p{S}]+$/u
/** Punctuation that belongs to the word after it. */
const OPENING = /^\s*["'“¿([{-]+$/u

/** Groups text tokens into words. `tokens` holds no timestamps. */
export function groupWords(tokens: readonly number[], tokenizer: Decoder, language: string): WordGroup[] {
  const characters = joinCharacters(tokens, tokenizer)
  const isUnspaced = UNSPACED_LANGUAGES.has(language)
  const groups: WordGroup[] = []
  let opening: Piece | undefined
  for (const piece of characters) {
    const startsSpaced = piece.text.startsWith(' ')
    if (startsSpaced && OPENING.test(piece.text)) {
      opening = piece
      continue
    }
    const previous = groups.at(-1)
    const isNew = !previous || startsSpaced || opening || (isUnspaced && !ONLY_PUNCTUATION.test(piece.text))
    // A dash between two spaces opens nothing: it stays in the text and is no word.
    if (isNew) groups.push(startGroup(piece, startsSpaced ? undefined : opening))
    else groups[groups.length - 1] = extend(previous, piece)
    opening = undefined
  }
  return groups.filter(({ text }) => text.trim() !== '')
}

/** UTF-8 characters have at most four bytes. */
const MAX_CHARACTER_TOKENS = 4

interface Piece {
  readonly text: string
  readonly first: number
  readonly count: number
}

/** Tokens that hold parts of one character only make sense together. */
function joinCharacters(tokens: readonly number[], tokenizer: Decoder): Piece[] {
  const pieces: Piece[] = []
  let pending: number[] = []
  const flush = (end: number): void => {
    if (pending.length === 0) return
    pieces.push({ text: tokenizer.decode(pending), first: end - pending.length, count: pending.length })
    pending = []
  }
  for (const [index, token] of tokens.entries()) {
    const isWhole = !tokenizer.decode([token]).includes('\uFFFD')
    // What is pending was never completed.
    if (isWhole) flush(index)
    pending.push(token)
    const isReadable = isWhole || !tokenizer.decode(pending).includes('\uFFFD')
    if (isReadable || pending.length === MAX_CHARACTER_TOKENS) flush(index + 1)
  }
  flush(tokens.length)
  return pieces
}

function append(piece: Piece, next: Piece): Piece {
  return { text: piece.text + next.text, first: piece.first, count: piece.count + next.count }
}

function startGroup(piece: Piece, opening: Piece | undefined): WordGroup {
  const whole = opening ? append(opening, piece) : piece
  return { ...whole, coreFirst: piece.first, coreCount: piece.count }
}

function extend(group: WordGroup, piece: Piece): WordGroup {
  const grown = { ...group, text: group.text + piece.text, count: group.count + piece.count }
  if (ONLY_PUNCTUATION.test(piece.text)) return grown
  return { ...grown, coreCount: piece.first + piece.count - group.coreFirst }
}
