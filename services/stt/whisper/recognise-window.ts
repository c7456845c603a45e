import type { SpokenWord } from '../../wire/speech.ts'
import { SpeechError } from '../errors.ts'
import { primaryTag } from '../domain/language.ts'
import { detectLanguage } from './detect-language.ts'
import { encode, type EncodedAudio } from './encoder.ts'
import { compressionOf, repeatsItself, TEMPERATURES } from './text/guards.ts'
import { SAMPLE_RATE_HZ } from './spectrogram/log-mel.ts'
import type { DetectedLanguage, Recognition, WindowOptions } from './port.ts'
import { seededRandom } from '../../wire/seeded-random.ts'
import { transcribePass, type Pass } from './transcribe-pass.ts'
import type { WhisperModel } from './whisper-model.ts'
import { windowPositions } from './window-positions.ts'

export type WindowRequest = Omit<WindowOptions, 'signal' | 'turn'>

const SEED = 1
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
  const spoken = spokenIn(model, request.language)
  let offsetSeconds = 0
  let lastSpeechSeconds = 0
  for (;;) {
    const rest = samples.subarray(Math.round(offsetSeconds * SAMPLE_RATE_HZ))
    if (rest.length === 0) break
    const pass = await guardedPass(model, rest, {
      request,
      spoken,
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
  return {
    ...summarise(passes),
    ...(spoken.detected && { detectedLanguage: spoken.detected }),
    computeMs: performance.now() - started,
  }
}

interface Placed<T> {
  readonly offsetSeconds: number
  readonly value: T
}

interface GuardedOptions {
  readonly request: WindowRequest
  readonly spoken: SpokenLanguage
  readonly checkpoint: () => void
  readonly lastSpeechSeconds: number
}

/**
 * A doubtful text is written again: after a look at the full window, where its silence was heard coarsely; then, while it
 * repeats itself, freer and freer. One that is only unlikely gets no likelier by chance (docs/benchmarks.md). Interims are
 * not written again: the next one is near. Where nobody spoke there is no text.
 */
async function guardedPass(model: WhisperModel, samples: Float32Array, options: GuardedOptions): Promise<Pass> {
  const { request } = options
  const isFull = request.padding === 'full'
  const window = await encodeWindow(model, samples, options)
  const first = await decode(window, 0)
  if (first.verdict === 'silence') return withoutText(first)
  if (first.verdict === 'fine' || request.priority === 'interim') return first

  const full = isFull
    ? window
    : await encodeWindow(model, samples, { ...options, request: { ...request, padding: 'full' } })
  const loops: Pass[] = []
  for (const temperature of TEMPERATURES) {
    const pass = isFull && temperature === 0 ? first : await decode(full, temperature)
    if (pass.verdict === 'silence') return withoutText(pass)
    if (!repeatsItself(pass.signs)) return pass
    loops.push(pass)
  }
  const [likeliest = first] = loops.toSorted(
    (one, other) => other.signs.averageLogProbability - one.signs.averageLogProbability,
  )
  return likeliest

  function decode(audio: EncodedWindow, temperature: number): Promise<Pass> {
    const { checkpoint, lastSpeechSeconds } = options
    return transcribePass(model, audio.encoded, {
      language: audio.language,
      timestamps: request.timestamps,
      audioSeconds: samples.length / SAMPLE_RATE_HZ,
      lastSpeechSeconds,
      ...(request.keyterms && { keyterms: request.keyterms }),
      ...(request.known && { known: request.known }),
      isOpen: request.isOpen ?? false,
      ...(request.draft && { draft: request.draft }),
      ...(request.rival && { rival: request.rival }),
      // The same audio gives the same words, however freely they were drawn.
      ...(temperature > 0 && { sampling: { temperature, random: seededRandom(SEED) } }),
      checkpoint,
    })
  }
}

function withoutText(pass: Pass): Pass {
  return { ...pass, text: '', segments: [], words: [], unfinishedAtSeconds: undefined }
}

interface EncodedWindow {
  readonly encoded: EncodedAudio
  readonly language: string
}

async function encodeWindow(
  model: WhisperModel,
  samples: Float32Array,
  { request, spoken, checkpoint }: GuardedOptions,
): Promise<EncodedWindow> {
  const { manifest, logMel, sessions, decoder } = model
  const audioSeconds = samples.length / SAMPLE_RATE_HZ
  const positions = windowPositions(audioSeconds, request.padding, manifest.dimensions.audioPositions)
  checkpoint()
  const mel = logMel.compute(samples, positions.frames)
  checkpoint()
  const encoded = await encode(sessions.encoder, mel, manifest.dimensions, positions, decoder.room)
  return { encoded, language: await spoken.of(encoded) }
}

/** The language of a window, however often it is encoded. */
interface SpokenLanguage {
  /** What was detected, once `of` has been asked. */
  readonly detected: DetectedLanguage | undefined
  of(encoded: EncodedAudio): Promise<string>
}

function spokenIn(model: WhisperModel, language: string | undefined): SpokenLanguage {
  const given = languageOf(model, language)
  let detected: DetectedLanguage | undefined
  return {
    get detected() {
      return detected
    },
    async of(encoded) {
      if (given !== undefined) return given
      detected ??= await detectLanguage(model, encoded)
      return detected.language
    },
  }
}

/** The primary tag when the model knows it, `undefined` when it has to be detected. */
function languageOf({ manifest }: WhisperModel, language: string | undefined): string | undefined {
  if (!manifest.multilingual) return 'en'
  const primary = language === undefined ? undefined : primaryTag(language)
  if (primary === undefined || primary in manifest.languages) return primary
  throw new SpeechError(400, `The model ${manifest.name} does not know the language "${language}".`)
}

function summarise(passes: readonly Placed<Pass>[]): Omit<Recognition, 'computeMs'> {
  const words = passes.flatMap(({ offsetSeconds, value }) => value.words.map((word) => shift(word, offsetSeconds)))
  const text = passes
    .map(({ value }) => value.text)
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
    compressionRatio: compressionOf(text),
    tokens: passes.flatMap(({ value }) => value.generation.tokens),
    isDoubtful: passes.some(({ value }) => value.verdict !== 'fine'),
  }
}

/** Positions are 20 ms apart: more than milliseconds would only be rounding errors. */
function shift(word: SpokenWord, seconds: number): SpokenWord {
  const toMilliseconds = (time: number): number => Math.round((time + seconds) * 1000) / 1000
  return { ...word, startSeconds: toMilliseconds(word.startSeconds), endSeconds: toMilliseconds(word.endSeconds) }
}
