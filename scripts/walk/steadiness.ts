import { normalisedWords } from '../wer.ts'
import type { TimedResult } from './lockstep.ts'

/** How soon words appear for good, and how many appear that do not stay. */
export interface Steadiness {
  /** For each final word: seconds from its end in the audio to its first appearance that is kept. */
  readonly lagsSeconds: readonly number[]
  /** Words shown that the next message took away or changed. */
  readonly flickered: number
  readonly words: number
}

interface Shown {
  readonly atSeconds: number
  readonly words: readonly string[]
}

export function steadinessOf(results: readonly TimedResult[]): Steadiness {
  const finals = results.filter(({ result }) => result.isFinal).flatMap(({ result }) => result.words)
  const spoken = finals.flatMap(({ word, endSeconds }) => normalisedWords(word).map((text) => ({ text, endSeconds })))
  const texts = spoken.map(({ text }) => text)
  const displays = displaysOf(results)

  let flickered = 0
  for (const [index, { words }] of displays.entries()) {
    const next = displays[index + 1]
    if (next) flickered += words.length - matches(words, next.words).size
  }
  // From the end backwards: a word is kept as long as every later display has it.
  const shownAt = spoken.map(() => displays.at(-1)?.atSeconds ?? 0)
  const isKept = spoken.map(() => true)
  for (const { atSeconds, words } of displays.toReversed()) {
    const matched = new Set(matches(words, texts).values())
    for (const place of texts.keys()) {
      if (isKept[place] && matched.has(place)) shownAt[place] = atSeconds
      else isKept[place] = false
    }
  }
  return {
    lagsSeconds: spoken.map(({ endSeconds }, place) => (shownAt[place] ?? 0) - endSeconds),
    flickered,
    words: spoken.length,
  }
}

/** What a reader sees after each instant that brought messages: all finals so far and the newest interim. */
function displaysOf(results: readonly TimedResult[]): Shown[] {
  const committed: string[] = []
  const displays = results.map(({ atSeconds, result }) => {
    const words = normalisedWords(result.text)
    if (result.isFinal) committed.push(...words)
    return { atSeconds, words: result.isFinal ? [...committed] : [...committed, ...words] }
  })
  return displays.filter(({ atSeconds }, index) => displays[index + 1]?.atSeconds !== atSeconds)
}

/**
 * Place in `from` → place in `to` of the words on a shortest edit from one to the start of the other. Of edits equally
 * short it is the one that keeps most words: where "amiable" became "a me of all", "himself and so" after it stayed.
 */
function matches(from: readonly string[], to: readonly string[]): Map<number, number> {
  const width = to.length + 1
  // More than all words together can earn by being kept.
  const edit = from.length + 1
  const costs = Array.from({ length: edit * width }, (_, at) => (at < width ? at * edit : 0))
  const cost = (row: number, column: number): number => costs[row * width + column] ?? Number.POSITIVE_INFINITY
  const paired = (row: number, column: number): number =>
    cost(row - 1, column - 1) + (from[row - 1] === to[column - 1] ? -1 : edit)
  for (let row = 1; row <= from.length; row += 1) {
    costs[row * width] = row * edit
    for (let column = 1; column < width; column += 1) {
      const one = Math.min(cost(row - 1, column), cost(row, column - 1)) + edit
      costs[row * width + column] = Math.min(paired(row, column), one)
    }
  }
  let row = from.length
  // What follows in `to` has not been said yet.
  let column = 0
  for (let at = 1; at < width; at += 1) if (cost(row, at) < cost(row, column)) column = at
  const matched = new Map<number, number>()
  while (row > 0 && column > 0) {
    if (cost(row, column) === paired(row, column)) {
      row -= 1
      column -= 1
      if (from[row] === to[column]) matched.set(row, column)
    } else if (cost(row, column) === cost(row - 1, column) + edit) row -= 1
    else column -= 1
  }
  return matched
}
