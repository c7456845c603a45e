import type { WordErrors } from '../wer.ts'
import { normalisedWords, rateOf, sumOf, wordErrors } from '../wer.ts'
import type { Clip } from './clips.ts'
import type { LiveAnswer } from './listen.ts'

export interface Walked {
  readonly clip: Clip
  readonly fileText: string
  readonly live: LiveAnswer
}

export interface Verdict {
  readonly file: WordErrors
  readonly live: WordErrors
  /** What is not as the walking system must be; empty when all is well. */
  readonly faults: readonly string[]
}

const MAX_WORD_ERRORS = 0.1
/** The clip that all of live is judged by. */
const JUDGED_LIVE = 'jfk.wav'
const MIN_INTERIMS = 4
const MAX_FIRST_INTERIM_SECONDS = 3

/** Judges all clips together; those whose words nobody knows count in nothing. */
export function judge(walked: readonly Walked[]): Verdict {
  const file = sumOf(walked.map(({ clip, fileText }) => errorsOf(clip, fileText)))
  const live = sumOf(walked.map(({ clip, live: answer }) => errorsOf(clip, answer.text)))
  const faults = [
    ...(rateOf(file) > MAX_WORD_ERRORS ? [`${percent(file)} word errors by file`] : []),
    ...(rateOf(live) > MAX_WORD_ERRORS ? [`${percent(live)} word errors live`] : []),
    ...walked.filter(({ clip }) => clip.name === JUDGED_LIVE).flatMap(liveFaults),
  ]
  return { file, live, faults }
}

export function errorsOf({ words }: Clip, heard: string): WordErrors {
  return words === undefined ? { errors: 0, words: 0 } : wordErrors(words, heard)
}

export function percent(errors: WordErrors): string {
  return errors.words === 0 ? '–' : `${(rateOf(errors) * 100).toFixed(1)} %`
}

function liveFaults({ clip, fileText, live }: Walked): string[] {
  const { differentInterims, firstInterimSeconds = Number.POSITIVE_INFINITY } = live
  const isSame = normalisedWords(fileText).join(' ') === normalisedWords(live.text).join(' ')
  return [
    ...(differentInterims < MIN_INTERIMS ? [`${clip.name}: ${differentInterims} different interims`] : []),
    ...(firstInterimSeconds > MAX_FIRST_INTERIM_SECONDS
      ? [`${clip.name}: the first interim came after ${firstInterimSeconds.toFixed(1)} s of audio`]
      : []),
    ...(isSame ? [] : [`${clip.name}: live says other words than file: "${live.text}"`]),
  ]
}
