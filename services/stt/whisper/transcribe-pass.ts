import type { SpokenWord } from '../../wire/speech.ts'
import { alignTokens } from './words/alignment.ts'
import { createAttentionStop } from './text/attention-stop.ts'
import type { Decoding } from './decoder/decoder.ts'
import type { EncodedAudio } from './encoder.ts'
import { generate, type GenerateOptions, type Generation } from './text/generate.ts'
import { compressionOf, verdictOn, type Signs, type Verdict } from './text/guards.ts'
import { createKeytermBias } from './text/keyterm-bias.ts'
import type { Sampling } from './text/logit-rules.ts'
import type { Known } from './port.ts'
import { promptFor } from './text/prompt.ts'
import type { Rewrite, Written } from './text/branches.ts'
import { likelierByRival } from './text/rival.ts'
import { likelierByRunnersUp } from './text/runner-up.ts'
import { SECONDS_PER_POSITION, splitSegments, type Segment } from './words/segments.ts'
import type { WhisperModel } from './whisper-model.ts'
import { groupWords, type WordGroup } from './words/word-groups.ts'
import { trimPauses, type TimedWord } from './words/word-times.ts'

export interface PassOptions {
  readonly language: string
  readonly timestamps: boolean
  /** Length of the audio in the window; the rest of the encoded positions is padding. */
  readonly audioSeconds: number
  /** Where speech ended before this window, relative to its start; zero or less. */
  readonly lastSpeechSeconds: number
  readonly sampling?: Sampling
  readonly known?: Known
  readonly draft?: string
  readonly rival?: string
  readonly isOpen: boolean
  readonly keyterms?: readonly string[]
  readonly checkpoint: () => void
}

/** One decoding of one encoded window. */
export interface Pass {
  readonly generation: Generation
  readonly text: string
  readonly signs: Signs
  readonly verdict: Verdict
  readonly segments: readonly Segment[]
  readonly words: readonly SpokenWord[]
  /** Where the next window must begin; `undefined` when all was said. */
  readonly unfinishedAtSeconds: number | undefined
}

interface Decoded extends Written {
  readonly decoding: Decoding
}

/** Twice as fast as anybody speaks. A silent window still gets a few tokens. */
const MAX_TOKENS_PER_SECOND = 12
const MIN_TOKEN_LIMIT = 16

/** A letter or a digit without a space in front, or a part of a character. */
const CONTINUES_WORD = /^[\p{L}\p{N}'’\uFFFD]/u

export async function transcribePass(model: WhisperModel, audio: EncodedAudio, options: PassOptions): Promise<Pass> {
  const { manifest } = model
  const { language, known, audioSeconds, checkpoint } = options
  const { dimensions, tokens } = manifest
  const timestamps = options.timestamps && !known
  const prompt = promptFor(manifest, { language, timestamps })
  const prefix = known ? model.tokenizer.encode(` ${known.text}`) : []
  const fromSeconds = known?.endSeconds ?? 0
  const heads = manifest.alignmentHeads.length
  const audioPositions = Math.round(audioSeconds / SECONDS_PER_POSITION)
  const common = {
    manifest,
    prompt,
    prefix,
    timestamps,
    // Whisper was trained to write at most half of its text positions.
    maxTokens: Math.min(
      Math.floor(dimensions.textPositions / 2),
      MIN_TOKEN_LIMIT + Math.ceil(MAX_TOKENS_PER_SECOND * (audioSeconds - fromSeconds)),
    ),
    ...(options.sampling && { sampling: options.sampling }),
    ...(options.keyterms && { bias: createKeytermBias(options.keyterms, model.tokenizer.encode) }),
    checkpoint,
  }
  const write = async (decoding: Decoding, more: Partial<GenerateOptions>): Promise<Decoded> => ({
    decoding,
    generation: await generate(decoding, { ...common, ...more }),
  })
  const rewrite: Rewrite<Decoded> = ({ decoding, generation: from }, branch) =>
    write(decoding.fork(), { branch: { from, ...branch } })
  const draft = options.draft ?? options.rival
  const own = await write(model.decoder.start(audio), {
    ...(draft && { draft: model.tokenizer.encode(` ${draft}`) }),
    ...(options.isOpen && {
      stop: {
        ...createAttentionStop({ heads, positions: audio.positions, audioPositions }),
        startsWord: (token) => !CONTINUES_WORD.test(model.tokenizer.decode([token])),
      },
    }),
  })
  const likely = options.isOpen ? own : await likelierByRunnersUp(own, rewrite)
  const { decoding, generation } =
    options.rival && !options.sampling
      ? await likelierByRival(likely, options.rival, {
          wordsOf: (said) => groupWords(said, model.tokenizer, language),
          encode: model.tokenizer.encode,
          endOfText: tokens.endOfText,
          rewrite,
        })
      : likely
  const { segments, unfinishedAtSeconds } = splitSegments(generation.tokens, tokens.firstTimestamp, audioSeconds)
  const spoken = spokenTokens(segments, generation, tokens.endOfText)
  const textTokens = spoken.map(({ token }) => token)
  const text = model.tokenizer.decode(textTokens).trim()
  const signs = { ...generation, compressionRatio: compressionOf(text) }
  const groups = groupWords(textTokens, model.tokenizer, language)
  const starts = tokenStarts({
    model,
    audio,
    decoding,
    spoken,
    audioSeconds,
    fromSeconds,
    promptLength: prompt.length + prefix.length,
  })
  const words = timeWords(groups, starts, audioSeconds)
  const bySegment = segments.map((segment, index) => ({
    segment,
    words: words.filter((_, at) => spoken[groups[at]?.first ?? 0]?.segment === index),
  }))
  trimPauses(words, bySegment, known ? fromSeconds : options.lastSpeechSeconds)

  return {
    generation,
    text,
    signs,
    verdict: verdictOn(signs),
    segments,
    words: words.map((word, index) => toSpokenWord(word, groups[index], spoken)),
    unfinishedAtSeconds,
  }
}

/** A text token, where it stands in the generation, and how likely it was. */
interface SpokenToken {
  readonly token: number
  readonly index: number
  readonly segment: number
  readonly probability: number
}

function spokenTokens(segments: readonly Segment[], generation: Generation, endOfText: number): SpokenToken[] {
  let index = 0
  return segments.flatMap(({ tokens }, segment) =>
    tokens.flatMap((token) => {
      const spoken = { token, index, segment, probability: Math.exp(generation.logProbabilities[index] ?? 0) }
      index += 1
      return token < endOfText ? [spoken] : []
    }),
  )
}

/** The position each text token begins at, and after them where the last one ends. */
function tokenStarts(options: {
  readonly model: WhisperModel
  readonly audio: EncodedAudio
  readonly decoding: Decoding
  readonly spoken: readonly SpokenToken[]
  readonly audioSeconds: number
  readonly fromSeconds: number
  readonly promptLength: number
}): number[] {
  const { model, audio, decoding, spoken, audioSeconds, fromSeconds, promptLength } = options
  const last = spoken.at(-1)
  if (!last) return []
  // The token at place n of the text is predicted by the input before it, and attention belongs to inputs.
  const rows = spoken.map(({ index }) => promptLength - 1 + index)
  const closing = promptLength + last.index
  if (closing < decoding.attention.length) rows.push(closing)
  return alignTokens({
    attention: decoding.attention,
    heads: model.manifest.alignmentHeads.length,
    positions: audio.positions,
    audioPositions: Math.round(audioSeconds / SECONDS_PER_POSITION),
    firstPosition: Math.round(fromSeconds / SECONDS_PER_POSITION),
    rows,
  })
}

function timeWords(groups: readonly WordGroup[], starts: readonly number[], audioSeconds: number): TimedWord[] {
  const secondsAt = (token: number): number => {
    const position = starts[token]
    return position === undefined ? audioSeconds : Math.min(audioSeconds, position * SECONDS_PER_POSITION)
  }
  return groups.map(({ text, coreFirst, coreCount }) => ({
    text: text.trim(),
    startSeconds: secondsAt(coreFirst),
    endSeconds: secondsAt(coreFirst + coreCount),
  }))
}

function toSpokenWord(word: TimedWord, group: WordGroup | undefined, spoken: readonly SpokenToken[]): SpokenWord {
  const core = group ? spoken.slice(group.coreFirst, group.coreFirst + group.coreCount) : []
  const sum = core.reduce((total, { probability }) => total + probability, 0)
  return {
    word: word.text,
    startSeconds: word.startSeconds,
    endSeconds: word.endSeconds,
    confidence: core.length === 0 ? 0 : sum / core.length,
  }
}
