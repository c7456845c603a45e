import type { ModelManifest } from '../../models/manifest.ts'
import type { AttentionStop } from './attention-stop.ts'
import type { Decoding } from '../decoder/decoder.ts'
import { createGuess, type Guess } from './guess.ts'
import type { KeytermBias } from './keyterm-bias.ts'
import { createLogitRules, type RunnerUp, type Sampling } from './logit-rules.ts'
import { repetitionStart } from './repetition.ts'

export interface GenerateOptions {
  readonly manifest: ModelManifest
  /** Tokens that steer the model: start, language, task. */
  readonly prompt: readonly number[]
  /** The text begins with these; they are not part of what is generated. */
  readonly prefix?: readonly number[]
  readonly timestamps: boolean
  /** More tokens than this are not speech but a loop. */
  readonly maxTokens: number
  /** Absent: the likeliest token each time. */
  readonly sampling?: Sampling
  /** Terms the speaker is likely to use. */
  readonly bias?: KeytermBias
  /**
   * What the text probably is, from hearing most of the same audio before: verified in one pass instead of step by step, or
   * in few where timestamps stand between, which it has none of. Another token than its own has to be twice as likely.
   */
  readonly draft?: readonly number[]
  /** Another text of the same audio to go another way from. Instead of a draft. */
  readonly branch?: Branch
  /** Ends the text early; a word that was begun goes with the token that is not taken. */
  readonly stop?: AttentionStop & { readonly startsWord: (token: number) => boolean }
  /** Called before each step; throws to stop. */
  readonly checkpoint: () => void
}

export interface Branch {
  /** What the decoding is of. */
  readonly from: Generation
  /** So many of its tokens stay. */
  readonly place: number
  /** These follow, however likely: verified in one pass like a draft, and counted like any token. */
  readonly given: readonly number[]
  /** Where in the other text that is what probably follows. */
  readonly resume: number
  /** Of a text whose log-probabilities add up to less than this, or will, it is enough to know that. */
  readonly floor: number
}

export interface Generation {
  /** Without the prompt, the prefix and the end of text. */
  readonly tokens: readonly number[]
  /** One for each token. */
  readonly logProbabilities: readonly number[]
  /** Of each token the other one that it might have been. */
  readonly runnersUp: readonly (RunnerUp | undefined)[]
  /** Mean of all log-probabilities, that of the end of text included. */
  readonly averageLogProbability: number
  readonly noSpeechProbability: number
  /** A repetition was cut off, or the limit was reached: the text is doubtful. */
  readonly looped: boolean
  /** A branch that was given up, unfinished. */
  readonly isGivenUp: boolean
}

/** Chooses a token at each step until the text ends, loops, or grows too long. */
export async function generate(decoding: Decoding, options: GenerateOptions): Promise<Generation> {
  const { manifest, timestamps, maxTokens, stop, checkpoint, prefix = [], branch } = options
  const prompt = [...options.prompt, ...prefix]
  const { endOfText, startOfTranscript, noSpeech, firstTimestamp } = manifest.tokens
  const rules = createLogitRules(manifest, timestamps, { sampling: options.sampling, isWhole: !options.bias })
  const { tokens, logProbabilities, runnersUp }: Writing = branch
    ? beforeBranch(branch)
    : { tokens: [], logProbabilities: [], runnersUp: [] }
  let total = sumOf(logProbabilities)
  const given = [...tokens, ...(branch?.given ?? [])]
  const { guess, first: guessed } = branch ? guessOf(branch) : guessBy(options.draft ?? [], timestamps)

  checkpoint()
  let draft = [...given, ...guessed].slice(0, maxTokens - 1)
  // What the last token before the text of its own is followed by has to be asked for in any case.
  decoding.truncate(prompt.length + tokens.length - 1)
  const unfed = [...prompt, ...draft].slice(decoding.length)
  // Whether anybody speaks is not asked where somebody is known to.
  const asksForSpeech = prefix.length === 0 && !branch
  const rows = asksForSpeech ? prompt.length : 1
  /** Logits after each draft token that was fed, from the one at `answersFrom - 1` on. */
  let answersFrom = tokens.length
  const first = await decoding.feed(unfed, rows + draft.length - answersFrom)
  const beforeText = asksForSpeech ? first[prompt.lastIndexOf(startOfTranscript)] : undefined
  const noSpeechProbability =
    branch?.from.noSpeechProbability ?? Math.exp(beforeText?.[noSpeech] ?? Number.NEGATIVE_INFINITY)
  let answers: readonly Float32Array[] = first.slice(rows - 1)
  let logits = answers[0]
  let isGivenUp = false
  const finish = (looped: boolean): Generation => {
    // The last token is only fed to ask what follows it, and that was not asked.
    decoding.truncate(prompt.length + tokens.length)
    const averageLogProbability = total / (tokens.length + 1)
    return { tokens, logProbabilities, runnersUp, averageLogProbability, noSpeechProbability, looped, isGivenUp }
  }

  while (logits) {
    options.bias?.apply(logits, tokens)
    const place = tokens.length
    const wish = { given: given[place], preferred: branch ? undefined : draft[place] }
    const { token, logProbability, runnerUp } = rules.choose(logits, tokens, wish)
    const attention = decoding.attention[prompt.length - 1 + place]
    if (stop && attention && token !== endOfText && stop.isOver(attention)) {
      dropOpenWord(token, stop.startsWord)
      return finish(false)
    }
    total += logProbability
    isGivenUp = branch !== undefined && total < branch.floor
    if (token === endOfText || isGivenUp) return finish(false)
    tokens.push(token)
    logProbabilities.push(logProbability)
    runnersUp.push(runnerUp)
    const loop = repetitionStart(tokens, endOfText)
    if (loop !== undefined) {
      tokens.length = logProbabilities.length = runnersUp.length = loop
      return finish(true)
    }
    if (tokens.length >= maxTokens) return finish(true)
    checkpoint()
    logits = await after(token)
  }
  return finish(false)

  /** Without the first part of the word that `token` goes on with. */
  function dropOpenWord(token: number, startsWord: (token: number) => boolean): void {
    let next: number | undefined = token
    while (next !== undefined && !startsWord(next)) {
      next = tokens.pop()
      runnersUp.pop()
      total -= logProbabilities.pop() ?? 0
    }
  }

  /**
   * Where a phrase closes, the next one opens, or else the text ends. That it begins at the first timestamp is not
   * guessed: fed together with the start of the transcript, that token is quantised too coarsely for all after it.
   */
  function sequel(token: number): readonly number[] {
    const closes = token >= firstTimestamp && (tokens.at(-2) ?? firstTimestamp) < firstTimestamp
    return timestamps && closes ? [token] : []
  }

  /** As long as the draft is right the answers are there. */
  async function after(token: number): Promise<Float32Array | undefined> {
    const place = tokens.length - 1
    if (draft[place] === token && decoding.length > prompt.length + place) return answers[place + 1 - answersFrom]
    decoding.truncate(prompt.length + place)
    const next = guess.after(tokens)
    isGivenUp = branch !== undefined && next.place !== undefined && !canWin(branch, total, next.place)
    if (isGivenUp) return undefined
    const likely = next.tokens.slice(0, maxTokens - 1 - tokens.length)
    const rest = likely.length > 0 ? likely : sequel(token)
    answers = await decoding.feed([token, ...rest], 1 + rest.length)
    answersFrom = place + 1
    draft = [...tokens, ...rest]
    return answers[0]
  }
}

interface Writing {
  readonly tokens: number[]
  readonly logProbabilities: number[]
  readonly runnersUp: (RunnerUp | undefined)[]
}

/** What stays of the text it goes another way from. */
function beforeBranch({ from, place }: Branch): Writing {
  return {
    tokens: from.tokens.slice(0, place),
    logProbabilities: from.logProbabilities.slice(0, place),
    runnersUp: from.runnersUp.slice(0, place),
  }
}

interface FirstGuess {
  readonly guess: Guess
  /** What probably follows what is given. */
  readonly first: readonly number[]
}

function guessOf({ from, place, given, resume }: Branch): FirstGuess {
  const begun = [...from.tokens.slice(0, place), ...given]
  const guess = createGuess(from.tokens, resume - begun.length)
  return { guess, first: guess.after(begun).tokens }
}

/** All of a draft at once, unless the first token is a timestamp, which no draft has. */
function guessBy(draft: readonly number[], timestamps: boolean): FirstGuess {
  return timestamps ? { guess: createGuess(draft, -1), first: [] } : { guess: createGuess(draft, 0), first: draft }
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, each) => sum + each, 0)
}

/** How likely a text is as a whole, its end included: the natural logarithm. */
export function totalOf({ tokens, averageLogProbability }: Generation): number {
  return averageLogProbability * (tokens.length + 1)
}

/** After other words what both texts say may be a little likelier. */
const REST_GAIN = 0.5

/** Whether a text so likely may reach the floor if it goes on as the other one does from a place on. */
function canWin({ from, floor }: Branch, total: number, place: number): boolean {
  const rest = totalOf(from) - sumOf(from.logProbabilities.slice(0, place))
  return total + rest + REST_GAIN >= floor
}
