/** What a text probably goes on with, by another text of the same audio. */
export interface Guess {
  /** What probably follows these tokens of the new text, of which the last was not guessed. */
  after(tokens: readonly number[]): Guessed
}

export interface Guessed {
  /** Often none. */
  readonly tokens: readonly number[]
  /** Where they are in the other text, if it says the same right before. */
  readonly place: number | undefined
}

/** Verifying so many tokens at once takes as long as writing two. */
const FIRST_REACH = 8

/**
 * Where both texts have the same two tokens the new one probably goes on as the other did: a little of it is guessed, and
 * more each time that was right. Often only one token is another (a comma for a full stop), so that is assumed once.
 *
 * @param offset how much further a token stands in `text` than in the new one
 */
export function createGuess(text: readonly number[], offset: number): Guess {
  let shift = offset
  let reach = FIRST_REACH
  let isTrusted = true

  return {
    after(tokens) {
      const expected = tokens.length + shift
      const found = nearestAfter(text, tokens, expected)
      if (found === undefined && !isTrusted) return { tokens: [], place: undefined }
      isTrusted &&= found !== undefined
      const place = found ?? expected
      reach = place === expected && found !== undefined ? 2 * reach : FIRST_REACH
      shift = place - tokens.length
      return { tokens: text.slice(place, place + reach), place: found }
    },
  }
}

/** The place after the last two tokens that is nearest to the expected one. */
function nearestAfter(text: readonly number[], tokens: readonly number[], expected: number): number | undefined {
  const [before, last] = tokens.slice(-2)
  let nearest: number | undefined
  for (let place = 2; place < text.length; place += 1) {
    if (text[place - 1] !== last || text[place - 2] !== before) continue
    if (nearest === undefined || Math.abs(place - expected) < Math.abs(nearest - expected)) nearest = place
  }
  return nearest
}
