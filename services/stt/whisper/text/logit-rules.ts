import type { ModelManifest } from '../../models/manifest.ts'
import { likeliestOf, weighLogits } from './logit-mass.ts'
import type { Random } from '../../../wire/seeded-random.ts'

export interface Choice {
  readonly token: number
  /** Natural logarithm, among the tokens that were allowed. */
  readonly logProbability: number
  /** Of text: the other text token that was nearly as likely. */
  readonly runnerUp?: RunnerUp | undefined
}

export interface RunnerUp {
  readonly token: number
  /** How much likelier the chosen token was, as a natural logarithm; below 0 where a less likely one was preferred. */
  readonly behind: number
}

/** Drawing instead of taking the likeliest token. */
export interface Sampling {
  /** Above 0; the higher, the likelier are unlikely tokens. */
  readonly temperature: number
  readonly random: Random
}

export interface LogitRuleOptions {
  /** Absent: the likeliest token each time. */
  readonly sampling?: Sampling | undefined
  /**
   * Logits are the logarithms of probabilities, of all tokens together 1: what text weighs is then what the few others
   * leave, and not every token has to be looked at for it.
   */
  readonly isWhole?: boolean
}

/** What the next token is to be. */
export interface Wish {
  /** However likely it is. */
  readonly given?: number | undefined
  /** If it is text and hardly less likely than any other, and none is drawn. */
  readonly preferred?: number | undefined
}

export interface LogitRules {
  /** The next token after those chosen so far: the wish, the likeliest allowed one, or one drawn. `logits` is changed. */
  choose(logits: Float32Array, chosen: readonly number[], wish?: Wish): Choice
}

/** What is nearly as likely is at least half as likely. */
const CLOSE = Math.LN2
/** Of two tokens of which one is as close to the other, none is likelier than this. */
const UNSURE_LOG_PROBABILITY = -Math.log(1 + Math.exp(-CLOSE))

/** A token below e⁻¹⁶ (10⁻⁷) of the likeliest is not worth drawing. */
const NEGLIGIBLE_LOGIT = 16

/** A difference from 1 that is smaller than this says little. */
const LEAST_DIFFERENCE = 0.05

/** The first word starts within the first second of a window (positions of 20 ms). */
const MAX_INITIAL_TIMESTAMP = 50

/**
 * Whisper's decoding rules. Timestamps come in pairs around each phrase, never go back, and win over text when together
 * they are likelier than any single piece of text.
 */
export function createLogitRules(
  manifest: ModelManifest,
  timestamps: boolean,
  { sampling, isWhole = false }: LogitRuleOptions = {},
): LogitRules {
  const { tokens, suppressed, suppressedFirst, dimensions } = manifest
  const { endOfText, firstTimestamp } = tokens
  const never = suppressed.filter((id) => id < endOfText)

  return {
    choose(logits, chosen, { given, preferred } = {}) {
      let left = isWhole ? 1 : 0
      const forbid = (id: number): void => {
        left -= Math.exp(logits[id] as number)
        logits[id] = Number.NEGATIVE_INFINITY
      }
      never.forEach(forbid)
      if (chosen.length === 0) suppressedFirst.forEach(forbid)
      const allowed = timestamps
        ? allowedRanges(chosen, { endOfText, firstTimestamp, vocabulary: dimensions.vocabulary })
        : { textFrom: 0, textTo: endOfText + 1, timesFrom: 0, timesTo: 0 }
      const text = likeliestOf(logits, allowed.textFrom, allowed.textTo)
      const time = weighLogits(logits, allowed.timesFrom, allowed.timesTo)
      const largest = Math.max(text.logit, time.logit)
      const timeSum = time.sum * Math.exp(time.logit - largest)
      const isTime = given === undefined && timeSum > Math.exp(text.logit - largest)
      const sum = isTime ? timeSum : timeSum + weighText(logits, allowed, left) * Math.exp(-largest)
      const best = isTime ? time : text
      const likely = sampling ? draw(logits, isTime ? withoutText(allowed) : allowed, sampling) : best.token
      const isClose =
        !isTime && !sampling && isWithin(allowed, preferred) && text.logit - (logits[preferred] as number) < CLOSE
      const token = given ?? (isClose ? preferred : likely)
      const logProbability = (logits[token] as number) - largest - Math.log(sum)
      const mayBeClose =
        logProbability <= UNSURE_LOG_PROBABILITY && token < endOfText && given === undefined && !sampling
      return { token, logProbability, ...(mayBeClose && { runnerUp: runnerUpOf(logits, token, allowed) }) }
    },
  }
}

/** The second likeliest text, if it is close. */
function runnerUpOf(logits: Float32Array, chosen: number, { textFrom, textTo }: TokenRanges): RunnerUp | undefined {
  const logit = logits[chosen] as number
  logits[chosen] = Number.NEGATIVE_INFINITY
  const next = likeliestOf(logits, textFrom, textTo)
  logits[chosen] = logit
  const behind = logit - next.logit
  // Whether the text goes on is not a question of which word it was.
  return behind < CLOSE && next.token < textTo - 1 ? { token: next.token, behind } : undefined
}

interface TokenRanges {
  readonly textFrom: number
  readonly textTo: number
  readonly timesFrom: number
  readonly timesTo: number
}

interface TokenBounds {
  readonly endOfText: number
  readonly firstTimestamp: number
  readonly vocabulary: number
}

/**
 * The sum of their powers of e.
 *
 * @param left what all tokens that are not forbidden weigh together; 0 when that is not known
 */
function weighText(logits: Float32Array, { textFrom, textTo }: TokenRanges, left: number): number {
  if (textFrom === 0 && left > 0) {
    const others = weighLogits(logits, textTo, logits.length)
    const text = left - others.sum * Math.exp(others.logit)
    if (text > LEAST_DIFFERENCE) return text
  }
  const text = weighLogits(logits, textFrom, textTo)
  return text.sum * Math.exp(text.logit)
}

/** The end of text counts as text that is allowed even where a timestamp must follow. */
function allowedRanges(chosen: readonly number[], { endOfText, firstTimestamp, vocabulary }: TokenBounds): TokenRanges {
  if (chosen.length === 0) {
    return { textFrom: 0, textTo: 0, timesFrom: firstTimestamp, timesTo: firstTimestamp + MAX_INITIAL_TIMESTAMP + 1 }
  }
  const isTime = (token: number | undefined): boolean => token !== undefined && token >= firstTimestamp
  const afterTime = isTime(chosen.at(-1))
  const opensPhrase = afterTime && (chosen.length < 2 || isTime(chosen.at(-2)))
  if (opensPhrase) return { textFrom: 0, textTo: endOfText + 1, timesFrom: 0, timesTo: 0 }

  const latest = chosen.findLast(isTime) ?? firstTimestamp
  // A phrase may open where the one before closed, but not close where it opened.
  const timesFrom = afterTime ? latest : latest + 1
  return { textFrom: afterTime ? endOfText : 0, textTo: endOfText + 1, timesFrom, timesTo: vocabulary }
}

function isWithin({ textFrom, textTo }: TokenRanges, token: number | undefined): token is number {
  return token !== undefined && token >= textFrom && token < textTo
}

function withoutText(ranges: TokenRanges): TokenRanges {
  return { ...ranges, textTo: ranges.textFrom }
}

/** One token of the ranges, each as often as its share at this temperature. */
function draw(logits: Float32Array, ranges: TokenRanges, { temperature, random }: Sampling): number {
  const { textFrom, textTo, timesFrom, timesTo } = ranges
  const text = weighLogits(logits, textFrom, textTo)
  const time = weighLogits(logits, timesFrom, timesTo)
  const best = time.logit > text.logit ? time : text
  const threshold = best.logit - NEGLIGIBLE_LOGIT * temperature
  const candidates: number[] = []
  const shares: number[] = []
  let sum = 0
  for (const [from, to] of [
    [textFrom, textTo],
    [timesFrom, timesTo],
  ] as const) {
    for (let id = from; id < to; id += 1) {
      const value = logits[id] as number
      if (value <= threshold) continue
      const share = Math.exp((value - best.logit) / temperature)
      sum += share
      candidates.push(id)
      shares.push(share)
    }
  }
  let left = random() * sum
  for (const [index, share] of shares.entries()) {
    left -= share
    if (left < 0) return candidates[index] ?? best.token
  }
  return best.token
}
