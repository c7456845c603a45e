/**
 * How well and how soon live speech is recognised against files: the bundled clips, and WAV files (16 kHz, mono, 16 bit)
 * with their words in a .txt beside them, clean and degraded. Live runs in lockstep with the audio: every answer comes
 * before the next frame, so all but the CPU times are what the policy does, whatever else the machine is doing.
 *
 *   npm run bench live [more.wav …]
 */
import { parseArgs } from 'node:util'
import { openWav } from '../../services/stt/audio/file.ts'
import { joinSamples } from '../../services/stt/audio/join-samples.ts'
import { SAMPLE_RATE_HZ } from '../../services/stt/audio/format.ts'
import { createWhisperEngine } from '../../services/stt/engines/whisper.ts'
import { toPcm } from '../../services/stt/live/testing.ts'
import { wavOf } from '../../services/stt/testing.ts'
import { startEars } from '../../services/stt/vad/threaded-ears.ts'
import { startRecogniser } from '../../services/stt/whisper/recogniser.ts'
import { MODEL_DIR } from '../../services/stt/whisper/testing.ts'
import { systemClock } from '../../services/wire/clock.ts'
import { silentLog } from '../../services/wire/log.ts'
import { bundledClips, clipFrom, type Clip } from '../walk/clips.ts'
import { CONDITIONS } from '../walk/degrade.ts'
import { errorsOf, percent } from '../walk/judge.ts'
import { promptnessOf } from '../walk/promptness.ts'
import { hearingWith, runInLockstep, type WindowCost } from '../walk/lockstep.ts'
import { steadinessOf } from '../walk/steadiness.ts'
import { sumOf, type WordErrors } from '../wer.ts'

/** Speech begins anywhere between two frames: two places of each clip. */
const OFFSETS_SECONDS = [0, 0.11] as const
/** Nothing that speech keeps time with: most cut a word in two. */
const FINALIZE_SECONDS = [1.3, 2.3, 3.1] as const

/** Between two clips, shorter than the endpoint that is asked for. */
const PAUSES_SECONDS = [0.4, 0.55, 0.7, 0.85] as const
const LATE_ENDPOINT_MS = 1000

const { positionals } = parseArgs({ allowPositionals: true })
const deps = { clock: systemClock, log: silentLog }
const recogniser = await startRecogniser({ modelDir: MODEL_DIR, workers: 1, threadsPerWorker: 1, ...deps })
const ears = await startEars({ vadModelFile: `${MODEL_DIR}/../silero-vad/model.onnx`, ...deps })
const engine = createWhisperEngine({
  recogniser,
  ears,
  maxAudioSeconds: 600,
  parallel: 1,
  release: async () => undefined,
})
const clips = [...(await bundledClips()), ...(await Promise.all(positionals.map(clipFrom)))]

console.log('WER by file   live     lag p50 / p95     flicker   CPU s per s of audio   endpoint')
for (const [name, degrade] of Object.entries(CONDITIONS)) await measure(name, { degrade, endpointingMs: 300 })
await measure('clean', { degrade: (samples) => samples, endpointingMs: false })
await measure('clean, two clips with a pause', {
  clips: pairsOf(clips),
  degrade: (samples) => samples,
  endpointingMs: LATE_ENDPOINT_MS,
})
for (const finalizeSeconds of FINALIZE_SECONDS) {
  const name = `clean, a Finalize each ${finalizeSeconds} s`
  await measure(name, { degrade: (samples) => samples, endpointingMs: 300, finalizeSeconds })
}
await recogniser.stop()
await ears.stop()

interface Condition {
  /** Instead of all. */
  readonly clips?: readonly Clip[]
  readonly degrade: (samples: Float32Array) => Float32Array
  readonly endpointingMs: number | false
  readonly finalizeSeconds?: number
}

async function measure(name: string, { degrade, clips: recordings = clips, ...options }: Condition) {
  const byFile: WordErrors[] = []
  const live: WordErrors[] = []
  const lags: number[] = []
  const windows: WindowCost[] = []
  const afterSpeech: number[] = []
  const afterEndpoint: number[] = []
  let [flickered, words, audioSeconds] = [0, 0, 0]
  for (const clip of recordings) {
    for (const offsetSeconds of OFFSETS_SECONDS) {
      const samples = degrade(samplesOf(clip, offsetSeconds))
      const transcript = await engine.transcribe({ bytes: wavOf(toPcm(samples)) }, { language: 'en' })
      byFile.push(errorsOf(clip, transcript.text))
      const run = await runInLockstep(samples, ears, hearingWith(recogniser), options)
      const finals = run.results.filter(({ result }) => result.isFinal)
      live.push(errorsOf(clip, finals.map(({ result }) => result.text).join(' ')))
      const steadiness = steadinessOf(run.results)
      lags.push(...steadiness.lagsSeconds)
      windows.push(...run.windows)
      const promptness = promptnessOf(run)
      afterSpeech.push(...promptness.afterSpeechSeconds)
      afterEndpoint.push(...promptness.afterEndpointSeconds)
      flickered += steadiness.flickered
      words += steadiness.words
      audioSeconds += run.audioSeconds
    }
  }
  const cpuSeconds = windows.reduce((sum, { cpuMs }) => sum + cpuMs / 1000, 0)
  const columns = [
    percent(sumOf(byFile)).padEnd(14),
    percent(sumOf(live)).padEnd(9),
    `${share(lags, 0.5).toFixed(2)} / ${share(lags, 0.95).toFixed(2)} s`.padEnd(18),
    `${((100 * flickered) / words).toFixed(1)} %`.padEnd(10),
    (cpuSeconds / audioSeconds).toFixed(3).padEnd(23),
    String(options.endpointingMs),
  ]
  console.log(`${columns.join('')}  ${name}, ${sumOf(live).words} words`)
  if (afterSpeech.length > 0) {
    console.log(
      `    ${afterSpeech.length} × speech_final: ${milliseconds(afterSpeech)} after the end of speech, of it ${milliseconds(afterEndpoint)} compute after the endpoint`,
    )
  }
  for (const purpose of ['interim', 'final', 'cut'] as const) {
    const costs = windows.filter((window) => window.purpose === purpose).map(({ cpuMs }) => cpuMs)
    if (costs.length === 0) continue
    const [median, high] = [share(costs, 0.5).toFixed(0), share(costs, 0.95).toFixed(0)]
    console.log(`    ${costs.length} × ${purpose}: CPU ${median} ms p50, ${high} ms p95`)
  }
}

/** Each clip with the next one after it. */
function pairsOf(singles: readonly Clip[]): Clip[] {
  return singles.map((clip, index) => {
    const next = singles[(index + 1) % singles.length] ?? clip
    const pauseSeconds = PAUSES_SECONDS[index % PAUSES_SECONDS.length] ?? 0
    const parts = [samplesOf(clip, 0), samplesOf(next, pauseSeconds)]
    return {
      name: `${clip.name}, ${next.name}`,
      bytes: wavOf(toPcm(joinSamples(parts))),
      words: clip.words === undefined || next.words === undefined ? undefined : `${clip.words} ${next.words}`,
    }
  })
}

function milliseconds(seconds: readonly number[]): string {
  return `${(1000 * share(seconds, 0.5)).toFixed(0)} ms p50, ${(1000 * share(seconds, 0.95)).toFixed(0)} ms p95`
}

function samplesOf({ bytes }: Clip, offsetSeconds: number): Float32Array {
  const { audio } = openWav(bytes, Number.POSITIVE_INFINITY)
  const view = new DataView(audio.buffer, audio.byteOffset, audio.byteLength)
  const offset = Math.round(offsetSeconds * SAMPLE_RATE_HZ)
  const samples = new Float32Array(offset + (audio.byteLength >> 1))
  for (let at = offset; at < samples.length; at += 1) samples[at] = view.getInt16(2 * (at - offset), true) / 2 ** 15
  return samples
}

function share(values: readonly number[], part: number): number {
  const sorted = values.toSorted((one, other) => one - other)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
}
