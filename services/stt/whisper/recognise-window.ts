import { deflateSync } from 'node:zlib'
import type { SpokenWord } from '../../wire/speech.ts'
import { SpeechError } from '../errors.ts'
import { detectLanguage } from './detect-language.ts'
import { encode } from './encoder.ts'
import { SAMPLE_RATE_HZ } from './log-mel.ts'
import type { Recognition, WindowOptions } from './port.ts'
import { transcribePass, type Pass } from './transcribe-pass.ts'
import type { WhisperModel } from './whisper-model.ts'

export type WindowRequest = Omit<WindowOptions, 'signal'>

const POSITIONS_PER_SECOND = 50
const FRAMES_PER_POSITION = 2
/** A rest shorter than this holds no word worth another pass. */
const MIN_REST_SECONDS = 0.5

/**
 * Recognises one window: spectrogram, encoder, decoder, words. Text that the model left unfinished is taken up again
 * from its last timestamp.
 *
 * @param checkpoint called between steps; throws to stop
 */
export async function recogniseWindow(
  model: WhisperModel,
  samples: Float32Array,
  request: WindowRequest,
  checkpoint: () => void,
): Promise<Recognition> {
  const started = performance.now()
  const passes: Placed<Pass>[] = []
  let offsetSeconds = 0
  let lastSpeechSeconds = 0
  for (;;) {
    const rest = samples.subarray(Math.round(offsetSeconds * SAMPLE_RATE_HZ))
    if (rest.length === 0) break
    const pass = await guardedPass(model, rest, {
      request,
      checkpoint,
      lastSpeechSeconds: lastSpeechSeconds - offsetSeconds,
    })
    passes.push({ offsetSeconds, value: pass })
    lastSpeechSeconds = offsetSeconds + (pass.words.at(-1)?.endSeconds ?? 0)

    const resumeSeconds = pass.unfinishedAtSeconds ?? Number.POSITIVE_INFINITY
    const restSeconds = rest.length / SAMPLE_RATE_HZ - resumeSeconds
    if (request.priority === 'interim' || resumeSeconds === 0 || restSeconds < MIN_REST_SECONDS) break
    offsetSeconds += resumeSeconds
  }
  return { ...summarise(model, passes), computeMs: performance.now() - started }
}

interface Placed<T> {
  readonly offsetSeconds: number
  readonly value: T
}

interface GuardedOptions {
  readonly request: WindowRequest
  readonly checkpoint: () => void
  readonly lastSpeechSeconds: number
}

/** Short windows loop more often: a result that did is replaced by one of the full window, except in interims. */
async function guardedPass(model: WhisperModel, samples: Float32Array, options: GuardedOptions): Promise<Pass> {
  const { request } = options
  const pass = await singlePass(model, samples, options)
  const isFinal = request.priority !== 'interim' && request.slackPositions !== 'full'
  if (!pass.generation.looped || !isFinal) return pass
  return singlePass(model, samples, { ...options, request: { ...request, slackPositions: 'full' } })
}

async function singlePass(model: WhisperModel, samples: Float32Array, options: GuardedOptions): Promise<Pass> {
  const { manifest, logMel, sessions } = model
  const { request, checkpoint, lastSpeechSeconds } = options
  const audioSeconds = samples.length / SAMPLE_RATE_HZ
  const positions = windowPositions(audioSeconds, request.slackPositions, manifest.dimensions.audioPositions)
  checkpoint()
  const mel = logMel.compute(samples, positions * FRAMES_PER_POSITION)
  checkpoint()
  const audio = await encode(sessions.encoder, mel, manifest.dimensions)
  const language = languageOf(model, request.language) ?? (await detectLanguage(model, audio))
  return transcribePass(model, audio, {
    language,
    timestamps: request.timestamps,
    audioSeconds,
    lastSpeechSeconds,
    checkpoint,
  })
}

function windowPositions(audioSeconds: number, slack: WindowOptions['slackPositions'], longest: number): number {
  return slack === 'full' ? longest : Math.min(longest, Math.ceil(audioSeconds * POSITIONS_PER_SECOND) + slack)
}

/** The primary tag when the model knows it, `undefined` when it has to be detected. */
function languageOf({ manifest }: WhisperModel, language: string | undefined): string | undefined {
  if (!manifest.multilingual) return 'en'
  const primary = language?.split('-')[0]?.toLowerCase()
  if (primary === undefined || primary in manifest.languages) return primary
  throw new SpeechError(400, `The model ${manifest.name} does not know the language "${language}".`)
}

function summarise(model: WhisperModel, passes: readonly Placed<Pass>[]): Omit<Recognition, 'computeMs'> {
  const words = passes.flatMap(({ offsetSeconds, value }) => value.words.map((word) => shift(word, offsetSeconds)))
  const text = passes
    .map(({ value }) => model.tokenizer.decode(value.textTokens).trim())
    .filter((part) => part !== '')
    .join(' ')
  const generations = passes.map(({ value }) => value.generation)
  const tokenCount = generations.reduce((sum, { tokens }) => sum + tokens.length + 1, 0)
  const logProbability = generations.reduce(
    (sum, { tokens, averageLogProbability }) => sum + averageLogProbability * (tokens.length + 1),
    0,
  )
  return {
    text,
    words,
    confidence: words.length === 0 ? 0 : words.reduce((sum, { confidence }) => sum + confidence, 0) / words.length,
    averageLogProbability: tokenCount === 0 ? 0 : logProbability / tokenCount,
    noSpeechProbability: generations[0]?.noSpeechProbability ?? 1,
    compressionRatio: compressionRatio(text),
  }
}

/** Positions are 20 ms apart: more than milliseconds would only be rounding errors. */
function shift(word: SpokenWord, seconds: number): SpokenWord {
  const toMilliseconds = (time: number): number => Math.round((time + seconds) * 1000) / 1000
  return { ...word, startSeconds: toMilliseconds(word.startSeconds), endSeconds: toMilliseconds(word.endSeconds) }
}

/** Repetitive text compresses well; above 2.4 Whisper's authors distrust it. */
function compressionRatio(text: string): number {
  if (text === '') return 0
  const bytes = Buffer.from(text, 'utf8')
  return bytes.length / deflateSync(bytes).length
}
