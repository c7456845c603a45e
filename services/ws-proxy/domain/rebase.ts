import type { SpeechMessage, SpeechResult } from '../../wire/speech.ts'

/** Where a speech server that took over stands in the stream. */
export interface Base {
  /** Its time 0 in the stream's time. */
  readonly offsetSeconds: number
  /** Words before this were made final by the server before it. */
  readonly committedSeconds: number
}

/** Times are rounded to a millisecond somewhere on their way. */
const SLACK_SECONDS = 0.002

/** A message in the stream's time, without the words that are final already; undefined when nothing is left of it. */
export function rebase(message: SpeechMessage, base: Base): SpeechMessage | undefined {
  const { offsetSeconds, committedSeconds } = base
  switch (message.type) {
    case 'Result':
      return rebaseResult(message, base)
    case 'SpeechStarted': {
      const atSeconds = message.atSeconds + offsetSeconds
      return atSeconds < committedSeconds - SLACK_SECONDS ? undefined : { ...message, atSeconds }
    }
    case 'UtteranceEnd':
      return { ...message, lastWordEndSeconds: message.lastWordEndSeconds + offsetSeconds }
    case 'Summary':
      return { ...message, audioSeconds: message.audioSeconds + offsetSeconds }
    case 'Open':
    case 'Failure':
      return message
  }
}

function rebaseResult(result: SpeechResult, { offsetSeconds, committedSeconds }: Base): SpeechResult | undefined {
  const start = result.startSeconds + offsetSeconds
  const end = start + result.durationSeconds
  if (end <= committedSeconds + SLACK_SECONDS && !result.fromFinalize) return undefined
  const words = result.words.map((word) => ({
    ...word,
    startSeconds: word.startSeconds + offsetSeconds,
    endSeconds: word.endSeconds + offsetSeconds,
  }))
  if (start >= committedSeconds - SLACK_SECONDS) return { ...result, startSeconds: start, words }
  // It was cut elsewhere: a word belongs to the side on which the middle of it lies.
  const left = words.filter(({ startSeconds, endSeconds }) => (startSeconds + endSeconds) / 2 > committedSeconds)
  return {
    ...result,
    startSeconds: committedSeconds,
    durationSeconds: Math.max(0, end - committedSeconds),
    words: left.map(({ startSeconds, ...word }) => ({
      ...word,
      startSeconds: Math.max(committedSeconds, startSeconds),
    })),
    text: left.map(({ word }) => word).join(' '),
  }
}
