import type { ModelManifest } from '../models/manifest.ts'
import type { Decoding } from './decoder.ts'
import { createLogitRules, probabilityOf, type Sampling } from './logit-rules.ts'
import { repetitionStart } from './repetition.ts'

export interface GenerateOptions {
  readonly manifest: ModelManifest
  /** Tokens that steer the model: start, language, task. */
  readonly prompt: readonly number[]
  readonly timestamps: boolean
  /** More tokens than this are not speech but a loop. */
  readonly maxTokens: number
  /** Absent: the likeliest token each time. */
  readonly sampling?: Sampling
  /** Called before each step; throws to stop. */
  readonly checkpoint: () => void
}

export interface Generation {
  /** Without the prompt and the end of text. */
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
  const { manifest, prompt, timestamps, maxTokens, checkpoint } = options
  const { endOfText, startOfTranscript, noSpeech } = manifest.tokens
  const rules = createLogitRules(manifest, timestamps, options.sampling)
  const tokens: number[] = []
  const logProbabilities: number[] = []
  let total = 0

  checkpoint()
  const first = await decoding.feed(prompt, prompt.length)
  const beforeText = first[prompt.lastIndexOf(startOfTranscript)]
  const noSpeechProbability = beforeText ? probabilityOf(beforeText, noSpeech) : 0
  let logits = first.at(-1)
  const finish = (looped: boolean): Generation => ({
    tokens,
    logProbabilities,
    averageLogProbability: total / (tokens.length + 1),
    noSpeechProbability,
    looped,
  })

  while (logits) {
    const { token, logProbability } = rules.choose(logits, tokens)
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
    logits = (await decoding.feed([token], 1))[0]
  }
  return finish(false)
}
