import type { ModelManifest } from '../models/manifest.ts'
import { weighLogits } from './logit-mass.ts'
import type { Random } from './random.ts'

export interface Choice {
  readonly token: number
  /** Natural logarithm, among the tokens that were allowed. */
  readonly logProbability: number
}

/** Drawing instead of taking the likeliest token. */
export interface Sampling {
  /** Above 0; the higher, the likelier are unlikely tokens. */
  readonly temperature: number
  readonly random: Random
}

export interface LogitRules {
  /** The next token after those chosen so far: `given`, the likeliest allowed one, or one drawn. `logits` is changed. */
  choose(logits: Float32Array, chosen: readonly number[], given?: number): Choice
}

/** A token below e⁻¹⁶ (10⁻⁷) of the likeliest is not worth drawing. */
const NEGLIGIBLE_LOGIT = 16

/** The first word starts within the first second of a window (positions of 20 ms). */
const MAX_INITIAL_TIMESTAMP = 50

/**
 * Whisper's decoding rules. Timestamps come in pairs around each phrase, never go back, and win over text when together
 * they are likelier than any single piece of text.
 */
export function createLogitRules(manifest: ModelManifest, timestamps: boolean, sampling?: Sampling): LogitRules {
  const { tokens, suppressed, suppressedFirst, dimensions } = manifest
  const { endOfText, firstTimestamp } = tokens
  const never = suppressed.filter((id) => id < endOfText)

  return {
    choose(logits, chosen, given) {
      for (const id of never) logits[id] = Number.NEGATIVE_INFINITY
      if (chosen.length === 0) {
        for (const id of suppressedFirst) logits[id] = Number.NEGATIVE_INFINITY
      }
      const allowed = timestamps
        ? allowedRanges(chosen, { endOfText, firstTimestamp, vocabulary: dimensions.vocabulary })
        : { textFrom: 0, textTo: endOfText + 1, timesFrom: 0, timesTo: 0 }
      const text = weighLogits(logits, allowed.textFrom, allowed.textTo)
      const time = weighLogits(logits, allowed.timesFrom, allowed.timesTo)
      const largest = Math.max(text.logit, time.logit)
      const timeSum = time.sum * Math.exp(time.logit - largest)
      const isTime = given === undefined && timeSum > Math.exp(text.logit - largest)
      const sum = isTime ? timeSum : timeSum + text.sum * Math.exp(text.logit - largest)
      const best = isTime ? time : text
      const likely = sampling ? draw(logits, isTime ? withoutText(allowed) : allowed, sampling) : best.token
      const token = given ?? likely
      return { token, logProbability: (logits[token] as number) - largest - Math.log(sum) }
    },
  }
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

/** Probability of one token among all of them. */
export function probabilityOf(logits: Float32Array, token: number): number {
  const { logit, sum } = weighLogits(logits, 0, logits.length)
  return Math.exp((logits[token] as number) - logit) / sum
}
