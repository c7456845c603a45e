/**
 * How fast files are recognised: the real-time factor (compute time ÷ audio time) of the bundled model on jfk.wav and on
 * 60 s of speech in windows of at most 28 s, with one thread, with two, and with two workers of one thread each.
 * Rounds alternate between the set-ups; the median counts, and the fastest shows what the machine can do when quiet.
 *
 *   npx tsx scripts/bench/speech.ts [rounds]
 */
import { readFile } from 'node:fs/promises'
import type { WindowOptions } from '../../services/stt/whisper/port.ts'
import { startRecogniser } from '../../services/stt/whisper/recogniser.ts'
import { MODEL_DIR, readClip } from '../../services/stt/whisper/testing.ts'
import { systemClock } from '../../services/wire/clock.ts'
import { silentLog } from '../../services/wire/log.ts'

/** The aim for one file on two threads. */
const TARGET_RTF = 0.03
const ROUNDS = 5
const SAMPLE_RATE_HZ = 16_000
const LONG_SECONDS = 60
/** Files are cut at pauses into pieces of at most this. */
const PIECE_SECONDS = 28

const SETUPS = [
  { name: '1 worker × 1 thread', workers: 1, threadsPerWorker: 1 },
  { name: '1 worker × 2 threads', workers: 1, threadsPerWorker: 2 },
  { name: '2 workers × 1 thread', workers: 2, threadsPerWorker: 1 },
] as const

const WINDOW: WindowOptions = { priority: 'file', language: 'en', slackPositions: 384, timestamps: true }

const rounds = Number(process.argv[2] ?? ROUNDS)
const jfk = await readClip('jfk.wav')
const long = await speechOf(LONG_SECONDS)
const inputs = [
  { name: 'jfk.wav', seconds: jfk.length / SAMPLE_RATE_HZ, pieces: [jfk] },
  { name: `${LONG_SECONDS} s of the clips`, seconds: long.length / SAMPLE_RATE_HZ, pieces: cut(long) },
]

console.log(`slack ${WINDOW.slackPositions}, timestamps, ${rounds} rounds after one to warm up; wall time`)
const runs = []
for (const { name, workers, threadsPerWorker } of SETUPS) {
  const options = { modelDir: MODEL_DIR, workers, threadsPerWorker, clock: systemClock, log: silentLog }
  const started = performance.now()
  const recogniser = await startRecogniser(options)
  const readyMs = performance.now() - started
  runs.push(...inputs.map((input) => ({ name, readyMs, recogniser, input, rtfs: new Array<number>() })))
}
for (let round = 0; round <= rounds; round += 1) {
  for (const { recogniser, input, rtfs } of runs) {
    const started = performance.now()
    await Promise.all(input.pieces.map((piece) => recogniser.recognise(piece, WINDOW)))
    if (round > 0) rtfs.push((performance.now() - started) / 1000 / input.seconds)
  }
}
for (const { name, readyMs, input, rtfs } of runs) {
  const [fastest = Number.NaN] = rtfs.sort((one, other) => one - other)
  const median = rtfs[Math.floor(rtfs.length / 2)] ?? Number.NaN
  const verdict = `${median <= TARGET_RTF ? 'within' : 'ABOVE'} ${TARGET_RTF}`
  const figures = `RTF ${median.toFixed(4)} (${verdict}), fastest ${fastest.toFixed(4)}`
  console.log(`${name.padEnd(20)}  ready ${readyMs.toFixed(0)} ms  ${input.name.padEnd(17)}  ${figures}`)
}
for (const { recogniser } of runs) await recogniser.stop()

/** The clips one after the other, again from the first, up to a length. */
async function speechOf(seconds: number): Promise<Float32Array> {
  const clips = JSON.parse(await readFile('fixtures/audio/clips.json', 'utf8')) as readonly { readonly file: string }[]
  const samples = new Float32Array(seconds * SAMPLE_RATE_HZ)
  for (let filled = 0; filled < samples.length;) {
    for (const { file } of clips) {
      const clip = (await readClip(file)).subarray(0, samples.length - filled)
      samples.set(clip, filled)
      filled += clip.length
    }
  }
  return samples
}

function cut(samples: Float32Array): Float32Array[] {
  const count = Math.ceil(samples.length / (PIECE_SECONDS * SAMPLE_RATE_HZ))
  const length = Math.ceil(samples.length / count)
  return Array.from({ length: count }, (_, index) => samples.subarray(index * length, (index + 1) * length))
}
