/**
 * How many streams can speak at once: the bundled clips, over and over, into ever more live streams of one engine of two
 * workers, in real time. Each number of streams speaks twice: in phrases, whole clips with pauses between them, as people
 * do, and in stretches from anywhere of the clips put end to end, cut off in mid-word.
 *
 *   npm run bench streams [most streams] [seconds] [first number of streams] [step]
 *
 * Prints how long after the audio that they are of interims come; how long after its end a word is shown for good, and
 * how long where every answer comes at once (in lockstep, afterwards): what is left there no machine mends; how long
 * after an endpoint's audio its final comes; the CPU time a second of audio takes, all threads together (in brackets the
 * listening thread's part); the longest gaps of the main thread's event loop; the process's memory; and how much of the
 * machine other processes took meanwhile: beside those the figures say little.
 */
import { cpus } from 'node:os'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { createWhisperEngine } from '../../services/stt/engines/whisper.ts'
import { LIVE_OPTIONS } from '../../services/stt/live/testing.ts'
import { startEars } from '../../services/stt/vad/threaded-ears.ts'
import { startRecogniser } from '../../services/stt/whisper/recogniser.ts'
import { MODEL_DIR } from '../../services/stt/whisper/testing.ts'
import { systemClock } from '../../services/wire/clock.ts'
import { silentLog } from '../../services/wire/log.ts'
import { bundledClips } from '../walk/clips.ts'
import { hearingWith, runInLockstep, type TimedResult } from '../walk/lockstep.ts'
import { steadinessOf } from '../walk/steadiness.ts'
import { phrasesOf, samplesOf, secondsOf, stretchesOf, type Speech } from './streams/speech.ts'
import { threadsOf } from './streams/threads.ts'

/** A tenth of a second. */
const CHUNK_BYTES = 3200
const WORKERS = 2
/** The target: p95, for interims and for words. */
const MAX_LAG_SECONDS = 1.5
const LOOP_RESOLUTION_MS = 5

const [mostStreams = 32, seconds = 20, firstStreams = 4, step = 4] = process.argv.slice(2).map(Number)
const options = { clock: systemClock, log: silentLog }
const recogniser = await startRecogniser({ modelDir: MODEL_DIR, workers: WORKERS, threadsPerWorker: 1, ...options })
const { value: ears, threads: listening } = await threadsOf(() =>
  startEars({ vadModelFile: `${MODEL_DIR}/../silero-vad/model.onnx`, ...options }),
)
const engine = createWhisperEngine({
  recogniser,
  ears,
  maxAudioSeconds: 600,
  parallel: WORKERS,
  release: async () => undefined,
})
const clips = await bundledClips()

const COLUMNS = [
  ['streams', 15],
  ['interims: lag p50 / p95, a second', 36],
  ['words: lag p50 / p95', 23],
  ['in lockstep', 16],
  ['finals: lag p50 / p95', 24],
  ['CPU s per s (ears)', 21],
  ['loop gap p99 / max', 21],
  ['RSS', 9],
  ['others', 8],
] as const
print(COLUMNS.map(([title]) => title))
for (let streams = firstStreams; streams <= mostStreams; streams += step) {
  await measure('phrases', streams, phrasesOf(clips))
  await measure('stretches', streams, stretchesOf(clips))
}
await recogniser.stop()
await ears.stop()

async function measure(name: string, streams: number, speech: Speech): Promise<void> {
  const spoken = Array.from({ length: streams }, (_, index) => speech(index / streams, seconds))
  const loop = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS })
  const before = process.cpuUsage()
  const machineBefore = machineSeconds()
  const listenedBefore = await listening.cpuSeconds()
  loop.enable()
  const told = await Promise.all(spoken.map((each, index) => speak(each, index / streams)))
  loop.disable()
  const { user, system } = process.cpuUsage(before)
  const machine = machineSeconds()
  const others = machine.busy - machineBefore.busy - (user + system) / 1e6
  const audioSeconds = spoken.reduce((sum, each) => sum + secondsOf(each), 0)
  const listened = ((await listening.cpuSeconds()) - listenedBefore) / audioSeconds
  const results = told.flat()
  const interims = results.filter(({ result }) => !result.isFinal).map(lagOf)
  // A cut lies seconds back; what ends at an endpoint covers 0.2 s of a pause whose endpoint comes at 0.3 s.
  const finals = results.filter(({ result }) => result.speechFinal).map(lagOf)
  const words = told.flatMap((each) => steadinessOf(each).lagsSeconds)
  const inLockstep = await wordsInLockstep(spoken)
  const isLate = share(interims, 0.95) > MAX_LAG_SECONDS || share(words, 0.95) > MAX_LAG_SECONDS
  print([
    `${streams} ${name}`,
    `${pair(interims, 's')}, ${(interims.length / audioSeconds).toFixed(1)}`,
    pair(words, 's'),
    pair(inLockstep, 's'),
    pair(finals, 's'),
    `${((user + system) / 1e6 / audioSeconds).toFixed(3)} (${listened.toFixed(3)})`,
    `${gapMs(loop.percentile(99))} / ${gapMs(loop.max)} ms`,
    `${(process.memoryUsage.rss() / 2 ** 20).toFixed(0)} MiB`,
    `${((100 * Math.max(0, others)) / (machine.all - machineBefore.all)).toFixed(0)} %`,
    isLate ? 'TOO LATE' : '',
  ])
}

/** One stream; each starts at another moment. */
async function speak(speech: Buffer, place: number): Promise<TimedResult[]> {
  await sleep(place * 500)
  const told: TimedResult[] = []
  const startMs = performance.now()
  const stream = engine.openStream({ ...LIVE_OPTIONS, encoding: 'linear16' }, (message) => {
    if (message.type === 'Result') told.push({ atSeconds: (performance.now() - startMs) / 1000, result: message })
    else if (message.type === 'Failure') throw new Error(message.error)
  })
  for (let from = 0; from < speech.length; from += CHUNK_BYTES) {
    const chunk = speech.subarray(from, from + CHUNK_BYTES)
    await sleep(Math.max(0, startMs + secondsOf(speech.subarray(0, from + chunk.length)) * 1000 - performance.now()))
    void stream.write(chunk)
  }
  await stream.close()
  return told
}

async function wordsInLockstep(spoken: readonly Buffer[]): Promise<number[]> {
  const lags: number[] = []
  for (const speech of spoken) {
    const { results } = await runInLockstep(samplesOf(speech), ears, hearingWith(recogniser))
    lags.push(...steadinessOf(results).lagsSeconds)
  }
  return lags
}

/** CPU time of the whole machine, with and without its idle time. */
function machineSeconds(): { readonly busy: number; readonly all: number } {
  const times = cpus().map((cpu) => cpu.times)
  const idle = times.reduce((sum, each) => sum + each.idle, 0)
  const all = times.reduce((sum, { user, nice, sys, irq }) => sum + user + nice + sys + irq, idle)
  return { busy: (all - idle) / 1000, all: all / 1000 }
}

function lagOf({ atSeconds, result }: TimedResult): number {
  return atSeconds - result.startSeconds - result.durationSeconds
}

/** The histogram counts from one tick to the next. */
function gapMs(nanoseconds: number): string {
  return Math.max(0, nanoseconds / 1e6 - LOOP_RESOLUTION_MS).toFixed(0)
}

function pair(values: readonly number[], unit: string): string {
  return `${share(values, 0.5).toFixed(2)} / ${share(values, 0.95).toFixed(2)} ${unit}`
}

function share(values: readonly number[], part: number): number {
  const sorted = values.toSorted((one, other) => one - other)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
}

function print(cells: readonly string[]): void {
  console.log(cells.map((cell, index) => cell.padEnd(COLUMNS[index]?.[1] ?? 0)).join(''))
}
