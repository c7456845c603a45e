import type { SpokenWord } from '../../../wire/speech.ts'

/** Members of what another server says, none of which can be relied upon. */
export function member(value: unknown, ...path: (string | number)[]): unknown {
  let at = value
  for (const name of path) {
    if (typeof at !== 'object' || at === null) return undefined
    at = (at as Readonly<Record<string | number, unknown>>)[name]
  }
  return at
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value.trim() : ''
}

export function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

/**
 * A word as any of the servers writes it: `[word, startMs, endMs]`, or an object with `word` or `punctuated_word`, `start` and `end` in seconds
 * and `confidence` or `probability`.
 */
export function wordOf(value: unknown): SpokenWord[] {
  if (Array.isArray(value)) {
    const [word, start, end] = value as unknown[]
    return spoken(textOf(word), (numberOf(start) ?? 0) / 1000, (numberOf(end) ?? 0) / 1000, 1)
  }
  const word = textOf(member(value, 'punctuated_word')) || textOf(member(value, 'word'))
  const confidence = numberOf(member(value, 'confidence')) ?? numberOf(member(value, 'probability')) ?? 1
  return spoken(word, numberOf(member(value, 'start')) ?? 0, numberOf(member(value, 'end')) ?? 0, confidence)
}

function spoken(word: string, startSeconds: number, endSeconds: number, confidence: number): SpokenWord[] {
  return word === '' ? [] : [{ word, startSeconds, endSeconds: Math.max(startSeconds, endSeconds), confidence }]
}

export function meanConfidence(words: readonly SpokenWord[]): number {
  return words.length === 0 ? 0 : words.reduce((sum, { confidence }) => sum + confidence, 0) / words.length
}
