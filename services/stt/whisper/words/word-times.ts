import type { Segment } from './segments.ts'

/** A word's place, in seconds from the window's start. */
export interface TimedWord {
  readonly text: string
  startSeconds: number
  endSeconds: number
}

/** No word is taken to last longer than twice this at a pause. */
const LONGEST_USUAL_SECONDS = 0.7
/** A timestamp token that disagrees with the attention by more than this wins. */
const TRUSTED_TIMESTAMP_SECONDS = 0.5

const SENTENCE_END = /[.。!！?？]$/u

/**
 * The attention knows no silence: the word after a pause begins where the one before ended. Shortens such words to twice
 * the median of this window, and prefers the model's own timestamps where they disagree much. The rules and numbers are
 * those of faster-whisper. Changes `words`.
 *
 * @param lastSpeechSeconds where speech ended before this window, relative to its start
 */
export function trimPauses(
  words: readonly TimedWord[],
  segments: readonly { readonly segment: Segment; readonly words: readonly TimedWord[] }[],
  lastSpeechSeconds: number,
): void {
  const usual = Math.min(LONGEST_USUAL_SECONDS, median(words.map(duration).filter((seconds) => seconds > 0)))
  const longest = 2 * usual
  for (const [index, word] of words.entries()) {
    const previous = words[index - 1]
    if (previous && SENTENCE_END.test(previous.text) && duration(word) > longest) {
      word.startSeconds = word.endSeconds - longest
    }
  }
  let spokenUntil = lastSpeechSeconds
  for (const { segment, words: inSegment } of segments) {
    const [first, second] = inSegment
    const last = inSegment.at(-1)
    if (!first || !last) continue
    shortenAfterPause({ first, second, usual, spokenUntil })
    trustTimestamps({ first, last, segment, usual })
    spokenUntil = last.endSeconds
  }
}

function shortenAfterPause(options: {
  readonly first: TimedWord
  readonly second: TimedWord | undefined
  readonly usual: number
  readonly spokenUntil: number
}): void {
  const { first, second, usual, spokenUntil } = options
  const longest = 2 * usual
  const bothTooLong = second !== undefined && second.endSeconds - first.startSeconds > 2 * longest
  if (first.endSeconds - spokenUntil <= 4 * usual || (duration(first) <= longest && !bothTooLong)) return
  if (second && duration(second) > longest) {
    const boundary = Math.max(second.endSeconds / 2, second.endSeconds - longest)
    first.endSeconds = boundary
    second.startSeconds = boundary
  }
  first.startSeconds = Math.max(0, first.endSeconds - longest)
}

function trustTimestamps(options: {
  readonly first: TimedWord
  readonly last: TimedWord
  readonly segment: Segment
  readonly usual: number
}): void {
  const { first, last, segment, usual } = options
  const { startSeconds, endSeconds } = segment
  if (startSeconds < first.endSeconds && startSeconds - TRUSTED_TIMESTAMP_SECONDS > first.startSeconds) {
    first.startSeconds = Math.max(0, Math.min(first.endSeconds - usual, startSeconds))
  }
  if (endSeconds > last.startSeconds && endSeconds + TRUSTED_TIMESTAMP_SECONDS < last.endSeconds) {
    last.endSeconds = Math.max(last.startSeconds + usual, endSeconds)
  }
}

function duration(word: TimedWord): number {
  return word.endSeconds - word.startSeconds
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? 0
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? 0)) / 2
}
