import type { ModelManifest } from '../models/manifest.ts'
import type { AttentionStop } from './attention-stop.ts'
import type { Decoding } from './decoder.ts'
import type { KeytermBias } from './keyterm-bias.ts'
import { createLogitRules, type Sampling } from './logit-rules.ts'
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
  /** What the text probably is, from hearing most of the same audio before: verified in one pass instead of step by step. */
  readonly draft?: readonly number[]
  /** The text is to begin with these, however likely: verified in one pass like a draft, and counted like any token. */
  readonly given?: readonly number[]
  /** Ends the text early; a word that was begun goes with the token that is not taken. */
  readonly stop?: AttentionStop & { readonly startsWord: (token: number) => boolean }
  /** Called before each step; throws to stop. */
  readonly checkpoint: () => void
}

export interface Generation {
  /** Without the prompt, the prefix and the end of text. */
  readonly tokens: readonly number[]
  /** One for each token. */
  readonly logProbabilities: readonly number[]
  /** Mean of all log-probabilities, that of the end of text included. */
  readonly averageLogProbability: number
  readonly noSpeechProbability: number
  /** A repetition was cut off, or the limit was reached: the text is doubtful. */
  readonly looped: boolean
}

/** Chooses a token at each step until the text ends, loops, or grows too long. */
export async function generate(decoding: Decoding, options: GenerateOptions): Promise<Generation> {
  const { manifest, timestamps, maxTokens, stop, checkpoint, prefix = [], given = [] } = options
  const prompt = [...options.prompt, ...prefix]
  const { endOfText, startOfTranscript, noSpeech, firstTimestamp } = manifest.tokens
  const rules = createLogitRules(manifest, timestamps, { sampling: options.sampling, isWhole: !options.bias })
  const tokens: number[] = []
  const logProbabilities: number[] = []
  let total = 0

  checkpoint()
  let draft = (options.draft ?? given).slice(0, maxTokens - 1)
  // Whether anybody speaks is not asked where somebody is known to.
  const rows = prefix.length > 0 ? 1 : prompt.length
  const first = await decoding.feed([...prompt, ...draft], rows + draft.length)
  const beforeText = prefix.length > 0 ? undefined : first[prompt.lastIndexOf(startOfTranscript)]
  const noSpeechProbability = Math.exp(beforeText?.[noSpeech] ?? Number.NEGATIVE_INFINITY)
  /** Logits after each draft token that was fed, from the one at `answersFrom - 1` on. */
  let answers = first.slice(rows - 1)
  let answersFrom = 0
  let isRight = draft.length > 0
  let logits = answers[0]
  const finish = (looped: boolean): Generation => {
    // The last token is only fed to ask what follows it, and that was not asked.
    decoding.truncate(prompt.length + tokens.length)
    return { tokens, logProbabilities, averageLogProbability: total / (tokens.length + 1), noSpeechProbability, looped }
  }

  while (logits) {
    options.bias?.apply(logits, tokens)
    const { token, logProbability } = rules.choose(logits, tokens, given[tokens.length])
    const attention = decoding.attention[prompt.length - 1 + tokens.length]
    if (stop && attention && token !== endOfText && stop.isOver(attention)) {
      dropOpenWord(token, stop.startsWord)
      return finish(false)
    }
    total += logProbability
    if (token === endOfText) return finish(false)
    tokens.push(token)
    logProbabilities.push(logProbability)
    const loop = repetitionStart(tokens, endOfText)
    if (loop !== undefined) {
      tokens.length = loop
      logProbabilities.length = loop
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

  /**
   * As long as the draft is right the answers are there. Where it is not, often only this token is another (a comma for
   * a full stop): the rest of it is verified once more, and then no longer believed.
   */
  async function after(token: number): Promise<Float32Array | undefined> {
    const place = tokens.length - 1
    if (draft[place] === token && decoding.length > prompt.length + place) return answers[place + 1 - answersFrom]
    decoding.truncate(prompt.length + place)
    const rest = isRight ? draft.slice(place + 1) : sequel(token)
    isRight = false
    answers = await decoding.feed([token, ...rest], 1 + rest.length)
    answersFrom = place + 1
    draft = [...tokens, ...rest]
    return answers[0]
  }
}
