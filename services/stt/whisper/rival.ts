import { plainWord } from '../domain/plain-word.ts'
import type { Generation } from './generate.ts'

/** A text with what it was written by. */
export interface Written {
  readonly generation: Generation
}

export interface RivalDeps<W extends Written> {
  /** The words of text tokens: where each begins among them. */
  readonly wordsOf: (textTokens: readonly number[]) => readonly { readonly text: string; readonly first: number }[]
  readonly encode: (text: string) => readonly number[]
  readonly endOfText: number
  /** Writes on after these tokens. */
  readonly write: (given: readonly number[]) => Promise<W>
}

/** Each is one more text to write. */
const MAX_BRANCHES = 3
/**
 * What a reader has before them stays unless something else is likelier than by this (natural logarithm): half as likely
 * again.
 */
const ADVANTAGE = 0.4

/**
 * The likeliest token each time does not make the likeliest text. Where one goes another way than `rival`, what was heard
 * of the same audio before, it is written once more from there on as the rival has it, and the likelier text counts.
 */
export async function likelierOf<W extends Written>(own: W, rival: string, deps: RivalDeps<W>): Promise<W> {
  const rivals = rival.split(' ').filter(plainWord)
  let best = own
  let from = 0
  for (let branch = 0; branch < MAX_BRANCHES; branch += 1) {
    if (best.generation.looped) return best
    const parting = partingOf(best.generation.tokens, rivals, from, deps)
    if (!parting) return best
    const other = await deps.write([...parting.before, ...deps.encode(` ${parting.word}`)])
    if (other.generation.looped || totalOf(other.generation) + ADVANTAGE < totalOf(best.generation)) return best
    best = other
    from = parting.place + 1
  }
  return best
}

interface Parting {
  readonly place: number
  /** The tokens up to there. */
  readonly before: readonly number[]
  /** The rival's word there, without signs. */
  readonly word: string
}

/** The first word of `rivals`, from a place on, that is not in the text. */
function partingOf(
  tokens: readonly number[],
  rivals: readonly string[],
  from: number,
  { wordsOf, endOfText }: RivalDeps<Written>,
): Parting | undefined {
  const textPlaces = [...tokens.keys()].filter((place) => (tokens[place] as number) < endOfText)
  const words = wordsOf(textPlaces.map((place) => tokens[place] as number)).filter(({ text }) => plainWord(text))
  const place = rivals.findIndex(
    (word, index) => index >= from && plainWord(word) !== plainWord(words[index]?.text ?? ''),
  )
  const word = rivals[place]?.replaceAll(/[^\p{L}\p{N}]+$/gu, '')
  if (!word) return undefined
  const first = words[place]?.first
  const to = first === undefined ? (textPlaces.at(-1) ?? -1) + 1 : (textPlaces[first] ?? tokens.length)
  return { place, before: tokens.slice(0, to), word }
}

/** Of all its tokens and its end together. */
function totalOf({ tokens, averageLogProbability }: Generation): number {
  return averageLogProbability * (tokens.length + 1)
}
