/** Turns text into the tokens that stand for it. */
export type Encode = (text: string) => number[]

/** GPT-2's pieces: a word with the space before it, a number, signs. Merges never cross their borders. */
const PIECE = /'(?:s|t|re|ve|m|ll|d)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+/gu

/**
 * Byte-pair encoding without a list of merges: tokens are numbered in the order in which they were merged, so of all
 * neighbours that make a token those with the lowest number come first.
 *
 * @param texts text of each token, each character one byte
 */
export function createEncoder(texts: readonly string[]): Encode {
  const ids = new Map(texts.map((text, id) => [text, id]))
  return (text) =>
    (text.match(PIECE) ?? []).flatMap((piece) =>
      merge(Buffer.from(piece, 'utf8').toString('latin1').split(''), ids).flatMap((part) => ids.get(part) ?? []),
    )
}

function merge(bytes: readonly string[], ids: ReadonlyMap<string, number>): readonly string[] {
  let parts = bytes
  for (;;) {
    let best = Number.POSITIVE_INFINITY
    let at = -1
    for (let place = 0; place + 1 < parts.length; place += 1) {
      const id = ids.get(`${parts[place]}${parts[place + 1]}`)
      if (id === undefined || id >= best) continue
      best = id
      at = place
    }
    if (at < 0) return parts
    parts = [...parts.slice(0, at), `${parts[at]}${parts[at + 1]}`, ...parts.slice(at + 2)]
  }
}
