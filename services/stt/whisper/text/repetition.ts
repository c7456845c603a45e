/** Longest phrase whose repetition is looked for. */
const MAX_PHRASE_TOKENS = 16
/** Speakers repeat themselves; three times the same and this many tokens of it is the model's loop. */
const MIN_COPIES = 3
const MIN_REPEATED_TOKENS = 12

/**
 * Where the second copy begins when a text ends in copies of one phrase, `undefined` when it does not. Tokens from
 * `endOfText` up (timestamps) differ from copy to copy and are passed over.
 */
export function repetitionStart(tokens: readonly number[], endOfText: number): number | undefined {
  const text: number[] = []
  const places: number[] = []
  for (let at = Math.max(0, tokens.length - 4 * MAX_PHRASE_TOKENS * MIN_COPIES); at < tokens.length; at += 1) {
    const token = tokens[at]
    if (token === undefined || token >= endOfText) continue
    text.push(token)
    places.push(at)
  }
  for (let phrase = 1; phrase <= MAX_PHRASE_TOKENS; phrase += 1) {
    const repeated = repeatedTail(text, phrase)
    const copies = Math.floor(repeated / phrase) + 1
    if (copies < MIN_COPIES || copies * phrase < MIN_REPEATED_TOKENS) continue
    return places[text.length - repeated]
  }
  return undefined
}

/** How many tokens at the end equal the one `distance` before them. */
function repeatedTail(text: readonly number[], distance: number): number {
  let count = 0
  while (count + distance < text.length && text[text.length - 1 - count] === text[text.length - 1 - count - distance]) {
    count += 1
  }
  return count
}
