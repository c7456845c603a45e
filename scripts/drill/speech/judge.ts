import { editDistance, normalisedWords } from '../../wer.ts'
import type { Message, Result, Word } from './messages.ts'
import { PROPER } from './plan.ts'
import type { Spoken } from './speaker.ts'

/** What a programme comes to when nothing disturbs it. */
export interface Baseline {
  readonly seconds: number
  readonly words: readonly Word[]
}

/** Milliseconds in one dialect, microseconds in the other. */
const SLACK_SECONDS = 0.002
/** Where a word ends is not known better than that, and a cut or endpoint may lie at its edge. */
const WORD_SLACK_SECONDS = 0.25
/** Another endpoint, another cut: other neighbours to hear a phrase with. */
const OTHER_WORDS = 2
/** The same sentence over and over is what the guards against loops are for: one copy may be taken for one. */
const OTHER_WORDS_IN_REPEATS = 5
const OTHER_WORDS_SHARE = 0.15
/** A word that is finalized in its middle is heard as two halves, and its neighbours without each other. */
const OTHER_WORDS_A_FINALIZE = 3
/** A server that takes over cuts elsewhere. */
const OTHER_WORDS_AFTER_A_KILL = 3
/** Every pause of a breath ends a phrase. */
const SHORT_ENDPOINTING_MS = 100
const OTHER_WORDS_SHARE_IN_PIECES = 0.4

export function baselineOf(spoken: Spoken): Baseline {
  return { seconds: closingOf(spoken)?.seconds ?? Number.NaN, words: finalsOf(spoken).flatMap(({ words }) => words) }
}

export function textOf(spoken: Spoken): string {
  return finalsOf(spoken)
    .map(({ text }) => text)
    .join(' ')
}

export interface Circumstances {
  /** A speech server was killed meanwhile. */
  readonly isKilled: boolean
}

/** What is not as it must be; empty when all is well. */
export function faultsOf(spoken: Spoken, baseline: Baseline, circumstances: Circumstances): string[] {
  const { plan, trouble } = spoken
  const faults = [...trouble, ...faultsInOrder(spoken)]
  // What fell silent was not asked to be finished: its last words may be open.
  if (plan.ending === 'silence') faults.push(...faultsAtEnd(spoken))
  if (PROPER.has(plan.ending)) faults.push(...faultsAtEnd(spoken), ...faultsInWords(spoken, baseline, circumstances))
  return faults
}

export function finalsOf({ messages }: Spoken): Result[] {
  return messages.filter((message) => message.type === 'Result').filter(({ isFinal }) => isFinal)
}

export function describedResult({ isFinal, startSeconds, endSeconds, text }: Result): string {
  return `${isFinal ? 'final' : 'interim'} ${startSeconds}–${endSeconds} "${text}"`
}

/** What holds for every stream, also for one that breaks. */
function faultsInOrder(spoken: Spoken): string[] {
  const { plan, messages, nonsense, sentSeconds } = spoken
  const faults: string[] = []
  const [first] = messages
  if (first && first.type !== 'Opening') faults.push(`begins with ${first.type}`)
  let committedSeconds = 0
  let endedSeconds = 0
  for (const message of messages) {
    if (message.type === 'UtteranceEnd') {
      const { lastWordEndSeconds } = message
      if (!(lastWordEndSeconds > endedSeconds))
        faults.push(`UtteranceEnd at ${lastWordEndSeconds} after ${endedSeconds}`)
      if (lastWordEndSeconds > committedSeconds + SLACK_SECONDS) {
        faults.push(`UtteranceEnd at ${lastWordEndSeconds}, but final is only ${committedSeconds}`)
      }
      endedSeconds = lastWordEndSeconds
    }
    if (message.type !== 'Result') continue
    const { isFinal, startSeconds, endSeconds } = message
    const what = describedResult(message)
    // Also when a time is no number.
    if (!(startSeconds >= committedSeconds - SLACK_SECONDS)) faults.push(`${what} goes back before ${committedSeconds}`)
    if (!(endSeconds >= startSeconds - SLACK_SECONDS)) faults.push(`${what} ends before it begins`)
    if (endSeconds > sentSeconds + WORD_SLACK_SECONDS) faults.push(`${what} is later than all audio`)
    faults.push(...faultsInResult(message).map((fault) => `${what}: ${fault}`))
    if (!isFinal && !plan.interimResults) faults.push(`${what}, but none was wanted`)
    // One without length answers a Finalize in silence: it says nothing about what is before or after it.
    if (isFinal && endSeconds > startSeconds) committedSeconds = Math.max(committedSeconds, endSeconds)
  }
  const errors = errorsOf(messages)
  const allowed = nonsense + (mayBeRefused(spoken) ? 1 : 0)
  if (plan.ending !== 'damaged' && errors.length > allowed) faults.push(describedErrors(errors, nonsense))
  return faults
}

function faultsInResult({ text, words, startSeconds, endSeconds }: Result): string[] {
  const faults: string[] = []
  if (words.map((word) => word.text).join(' ') !== text) faults.push('its words are not its text')
  let before = startSeconds
  for (const word of words) {
    const isInside = word.startSeconds >= startSeconds - SLACK_SECONDS && word.endSeconds <= endSeconds + SLACK_SECONDS
    const isAfter = word.startSeconds >= before - SLACK_SECONDS && word.endSeconds >= word.startSeconds
    if (!isInside || !isAfter) faults.push(`"${word.text}" is at ${word.startSeconds}–${word.endSeconds}`)
    before = word.startSeconds
  }
  return faults
}

/** What holds when all was sent and the rest was waited for. */
function faultsAtEnd(spoken: Spoken): string[] {
  const { plan, messages, code, reason, finalizes, nonsense, sentSeconds, sha256 } = spoken
  const faults: string[] = []
  const expected = plan.ending === 'silence' ? '1011 NET-0001' : '1000 '
  if (`${code} ${reason}` !== expected) faults.push(`closed with ${code} ${reason}, not ${expected}`)
  const answers = finalsOf(spoken).filter(({ isFromFinalize }) => isFromFinalize).length
  // What falls silent may be ended before a loaded server has come to its last request.
  const isAnswered = plan.ending === 'silence' ? answers <= finalizes : answers === finalizes
  if (!isAnswered) faults.push(`${answers} answers to ${finalizes} times Finalize`)
  const errors = errorsOf(messages)
  if (errors.length !== nonsense) faults.push(describedErrors(errors, nonsense))
  const closing = closingOf(spoken)
  const isClosingDue = plan.compat === 'deepgram' && plan.ending !== 'silence'
  if (isClosingDue !== (closing !== undefined)) faults.push(`the closing Metadata is ${closing ? 'there' : 'missing'}`)
  if (closing && messages.at(-1) !== closing) faults.push('the closing Metadata is not the last message')
  if (closing && closing.sha256 !== sha256) faults.push('the closing Metadata has the hash of other audio')
  if (closing && Math.abs(closing.seconds - sentSeconds) > WORD_SLACK_SECONDS) {
    faults.push(`the closing Metadata says ${closing.seconds} s, sent were ${sentSeconds}`)
  }
  return faults
}

/** No word may be missing. */
function faultsInWords(spoken: Spoken, { words }: Baseline, { isKilled }: Circumstances): string[] {
  const { plan, finalizes } = spoken
  const finals = finalsOf(spoken)
  const uncovered = words.filter(({ startSeconds, endSeconds }) => {
    const middle = (startSeconds + endSeconds) / 2
    return !finals.some(
      (final) => middle >= final.startSeconds - WORD_SLACK_SECONDS && middle <= final.endSeconds + WORD_SLACK_SECONDS,
    )
  })
  const faults: string[] = []
  if (uncovered.length > 0) faults.push(`no final covers "${uncovered.map(({ text }) => text).join(' ')}"`)

  const expected = words.flatMap(({ text }) => normalisedWords(text))
  const heard = normalisedWords(textOf(spoken))
  const isInPieces = plan.endpointing !== undefined && Number(plan.endpointing) <= SHORT_ENDPOINTING_MS
  const share = isInPieces ? OTHER_WORDS_SHARE_IN_PIECES : OTHER_WORDS_SHARE
  const allowed =
    OTHER_WORDS +
    share * expected.length +
    finalizes * OTHER_WORDS_A_FINALIZE +
    (plan.programme.isRepeated ? OTHER_WORDS_IN_REPEATS : 0) +
    (isKilled ? OTHER_WORDS_AFTER_A_KILL : 0)
  // What is misheard undisturbed may be understood when it is cut otherwise.
  const others = Math.min(editDistance(expected, heard), editDistance(normalisedWords(plan.programme.words), heard))
  if (others > allowed) faults.push(`${others} words differ: "${heard.join(' ')}" for "${expected.join(' ')}"`)
  return faults
}

/** Of a container whose start was all that came there may be nothing to decode: no message is about any of its sound. */
function mayBeRefused({ plan, messages }: Spoken): boolean {
  const { programme, length } = plan
  const isHeard = messages.some(
    (message) =>
      message.type === 'SpeechStarted' || (message.type === 'Result' && message.endSeconds > message.startSeconds),
  )
  return programme.isCompressed && length < programme.frames.length && !isHeard
}

function errorsOf(messages: readonly Message[]) {
  return messages.filter((message) => message.type === 'Error')
}

function describedErrors(errors: ReturnType<typeof errorsOf>, nonsense: number): string {
  const told = errors.map(({ variant, description }) => `${variant}: ${description}`)
  return `${errors.length} errors for ${nonsense} messages of nonsense (${told.join('; ')})`
}

function closingOf({ messages }: Spoken) {
  return messages.find((message) => message.type === 'Closing')
}
