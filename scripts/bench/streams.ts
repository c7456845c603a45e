/**
 * How many streams can speak at once: the bundled clips, over and over, into ever more live streams of one engine of two
 * workers, in real time. Prints how long after its audio an interim and a final come, and the CPU time it takes.
 *
 *   npm run bench streams [most streams] [seconds]
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { openWav } from '../../services/stt/audio/file.ts'
import { createWhisperEngine } from '../../services/stt/engines/whisper.ts'
import { startEars } from '../../services/stt/vad/threaded-ears.ts'
import { startRecogniser } from '../../services/stt/whisper/recogniser.ts'
import { MODEL_DIR } from '../../services/stt/whisper/testing.ts'
import { systemClock } from '../../services/wire/clock.ts'
import { silentLog } from '../../services/wire/log.ts'
import { bundledClips } from '../walk/clips.ts'

const BYTES_PER_SECOND = 32_000
const CHUNK_SECONDS = 0.1
/** An interim is worth having while it is younger than this. */
const MAX_INTERIM_LAG_SECONDS = 1.5

const mostStreams = Number(process.argv[2] ?? 24)
const seconds = Number(process.argv[3] ?? 20)
const options = { clock: systemClock, log: silentLog }
const recogniser = await startRecogniser({ modelDir: MODEL_DIR, workers: 2, threadsPerWorker: 1, ...options })
const ears = await startEars({ vadModelFile: `${MODEL_DIR}/../silero-vad/model.onnx`, ...options })
const engine = createWhisperEngine({
  recogniser,
  ears,
  maxAudioSeconds: 600,
  parallel: 2,
  release: async () => undefined,
})
const clips = await bundledClips()
const speech = Buffer.concat(clips.map(({ bytes }) => openWav(bytes, Number.POSITIVE_INFINITY).audio))

console.log('streams  interims: lag p50 / p95, a second and stream  finals: lag p50 / p95  CPU s per s of audio')
for (let streams = 4; streams <= mostStreams; streams += 4) await measure(streams)
await recogniser.stop()
await ears.stop()

async function measure(streams: number): Promise<void> {
  const interims: number[] = []
  const finals: number[] = []
  const before = process.cpuUsage()
  await Promise.all(Array.from({ length: streams }, (_, index) => speak(index / streams, { interims, finals })))
  const { user, system } = process.cpuUsage(before)
  const audioSeconds = streams * seconds
  const columns = [
    String(streams).padEnd(9),
    `${pair(interims)}, ${(interims.length / audioSeconds).toFixed(1)}`.padEnd(46),
    pair(finals).padEnd(23),
    ((user + system) / 1e6 / audioSeconds).toFixed(3),
    share(interims, 0.95) > MAX_INTERIM_LAG_SECONDS ? '  TOO LATE' : '',
  ]
  console.log(columns.join(''))
}

interface Lags {
  readonly interims: number[]
  readonly finals: number[]
}

/** One stream from some place in the speech on; each starts at another moment. */
async function speak(place: number, { interims, finals }: Lags): Promise<void> {
  await sleep(place * 500)
  let startMs = 0
  const stream = engine.openStream(
    {
      encoding: 'linear16',
      sampleRateHz: 16_000,
      channels: 1,
      language: 'en',
      interimResults: true,
      endpointingMs: 300,
      utteranceEndMs: undefined,
      vadEvents: false,
    },
    (message) => {
      if (message.type !== 'Result') return
      const endSeconds = message.startSeconds + message.durationSeconds
      const lagSeconds = (performance.now() - startMs) / 1000 - endSeconds
      // Spans end where the window did, or 0.2 s into a pause whose endpoint comes at 0.3 s; a cut lies seconds back.
      if (!message.isFinal) interims.push(lagSeconds)
      else if (message.speechFinal) finals.push(lagSeconds)
    },
  )
  startMs = performance.now()
  const step = CHUNK_SECONDS * BYTES_PER_SECOND
  const first = Math.floor(place * (speech.length / step))
  for (let chunk = 0; chunk < seconds / CHUNK_SECONDS; chunk += 1) {
    const from = ((first + chunk) * step) % (speech.length - step)
    await sleep(Math.max(0, startMs + (chunk + 1) * CHUNK_SECONDS * 1000 - performance.now()))
    void stream.write(speech.subarray(from, from + step))
  }
  await stream.close()
}

function pair(values: readonly number[]): string {
  return `${share(values, 0.5).toFixed(2)} / ${share(values, 0.95).toFixed(2)} s`
}

function share(values: readonly number[], part: number): number {
  const sorted = values.toSorted((one, other) => one - other)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
}
