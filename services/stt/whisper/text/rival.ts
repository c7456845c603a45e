import { plainWord } from '../../domain/plain-word.ts'
import { isLikelier, type Rewrite, type Written } from './branches.ts'
import { totalOf } from './generate.ts'

interface Tongue {
  /** The words of text tokens: where each begins among them. */
  readonly wordsOf: (textTokens: readonly number[]) => readonly { readonly text: string; readonly first: number }[]
  readonly encode: (text: string) => readonly number[]
  readonly endOfText: number
}

export interface RivalDeps<W extends Written> extends Tongue {
  readonly rewrite: Rewrite<W>
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
export async function likelierByRival<W extends Written>(own: W, rival: string, deps: RivalDeps<W>): Promise<W> {
  const rivals = rival.split(' ').filter(plainWord)
  let best = own
  let from = 0
  for (let branch = 0; branch < MAX_BRANCHES; branch += 1) {
    if (best.generation.looped) return best
    const parting = partingOf(best.generation.tokens, rivals, from, deps)
    if (!parting) return best
    const { place, word, resume } = parting
    const floor = totalOf(best.generation) - ADVANTAGE
    const other = await deps.rewrite(best, { place, given: deps.encode(` ${word}`), resume, floor })
    if (!isLikelier(other, floor)) return best
    best = other
    from = parting.wordIndex + 1
  }
  return best
}

interface Parting {
  readonly wordIndex: number
  /** How many tokens stand before it. */
  readonly place: number
  /** The rival's word there, without signs. */
  readonly word: string
  /** Which token follows its own word. */
  readonly resume: number
}

/** The first word of `rivals`, from a place on, that is not in the text. */
function partingOf(
  tokens: readonly number[],
  rivals: readonly string[],
  from: number,
  { wordsOf, endOfText }: Tongue,
): Parting | undefined {
  const textPlaces = [...tokens.keys()].filter((place) => (tokens[place] as number) < endOfText)
  const words = wordsOf(textPlaces.map((place) => tokens[place] as number)).filter(({ text }) => plainWord(text))
  const wordIndex = rivals.findIndex(
    (word, index) => index >= from && plainWord(word) !== plainWord(words[index]?.text ?? ''),
  )
  const word = rivals[wordIndex]?.replaceAll(/[^\p{L}\p{N}]+$/gu, '')
  if (!word) return undefined
  const placeOf = (index: number): number | undefined => {
    const first = words[index]?.first
    return first === undefined ? undefined : textPlaces[first]
  }
  const place = placeOf(wordIndex) ?? (textPlaces.at(-1) ?? -1) + 1
  return { wordIndex, place, word, resume: placeOf(wordIndex + 1) ?? tokens.length }
}
