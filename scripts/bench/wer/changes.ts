import { normalisedWords } from '../../wer.ts'

/** What was heard for what was said, in order: `disposed → sposed`, `+ you` for a word too many, `− you` for one lost. */
export function changesOf(said: string, heard: string): string[] {
  const [from, to] = [normalisedWords(said), normalisedWords(heard)]
  const width = to.length + 1
  const costs = new Uint32Array((from.length + 1) * width)
  const cost = (row: number, column: number): number => costs[row * width + column] ?? 0
  for (let row = 0; row <= from.length; row += 1) {
    for (let column = 0; column <= to.length; column += 1) {
      const isSame = from[row - 1] === to[column - 1]
      costs[row * width + column] =
        row === 0 || column === 0
          ? row + column
          : Math.min(cost(row - 1, column - 1) + (isSame ? 0 : 1), cost(row - 1, column) + 1, cost(row, column - 1) + 1)
    }
  }
  const changes: string[] = []
  let [row, column] = [from.length, to.length]
  while (row > 0 || column > 0) {
    const isSame = row > 0 && column > 0 && from[row - 1] === to[column - 1]
    if (row > 0 && column > 0 && cost(row, column) === cost(row - 1, column - 1) + (isSame ? 0 : 1)) {
      row -= 1
      column -= 1
      if (!isSame) changes.push(`${from[row]} → ${to[column]}`)
    } else if (row > 0 && cost(row, column) === cost(row - 1, column) + 1) {
      row -= 1
      changes.push(`− ${from[row]}`)
    } else {
      column -= 1
      changes.push(`+ ${to[column]}`)
    }
  }
  return changes.toReversed()
}
