/** Insertions, deletions and substitutions between two texts, without regard to case and the punctuation around words. */
export function wordErrors(expected: string, actual: string): number {
  const left = normalise(expected)
  const right = normalise(actual)
  let previous = right.map((_, index) => index + 1)
  previous.unshift(0)
  for (const [row, word] of left.entries()) {
    const current = [row + 1]
    for (const [column, other] of right.entries()) {
      const replaced = (previous[column] ?? 0) + (word === other ? 0 : 1)
      current.push(Math.min(replaced, (previous[column + 1] ?? 0) + 1, (current[column] ?? 0) + 1))
    }
    previous = current
  }
  return previous.at(-1) ?? 0
}

function normalise(text: string): string[] {
  return text
    .toLowerCase()
    .split(/\s+/)
    .map((word) => word.replaceAll(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, ''))
    .filter((word) => word !== '')
}
