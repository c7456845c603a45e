import { test } from 'vitest'
import type { SpeechResult } from '../../wire/speech.ts'
import { LIVE_OPTIONS } from '../live/testing.ts'
import { silence, tone, wavOf } from '../testing.ts'
import { createSimulation, type CostMs, startSimulatedRecogniser, WORD_SECONDS } from '../testing-load.ts'
import { loudnessEars } from '../vad/loudness-ears.ts'
import type { SpeechStream } from './port.ts'
import { createWhisperEngine } from './whisper.ts'

// Many streams on few workers: the engine, the live policy and the pool as they are, with workers that take simulated time.

const CHUNK_MS = 100
const CHUNK_BYTES = 3200

/** Phrases of three seconds with pauses that end them. */
const PHRASE_SECONDS = 3
const SPEECH = Buffer.concat(Array.from({ length: 4 }, () => Buffer.concat([tone(PHRASE_SECONDS), silence(0.5)])))
const SPEECH_SECONDS = SPEECH.length / 32_000

/** One worker carries some ten such streams at half a second. */
const usual: CostMs = (seconds, { priority }) => (priority === 'interim' ? 15 + 5 * seconds : 40 + 13 * seconds)

interface Told {
  readonly result: SpeechResult
  /** Seconds between the end of its audio and its coming. */
  readonly lagSeconds: number
}

interface Speaker {
  readonly stream: SpeechStream
  readonly told: readonly Told[]
}

async function stage(costMs: CostMs, workers = 1, logProbability?: number) {
  const simulation = createSimulation()
  const windows: { readonly priority: string; readonly padding: string; readonly atMs: number }[] = []
  const recogniser = await startSimulatedRecogniser(simulation, {
    workers,
    logProbability,
    costMs(seconds, request) {
      windows.push({ priority: request.priority, padding: request.padding, atMs: simulation.nowMs })
      return costMs(seconds, request)
    },
  })
  const release = async (): Promise<void> => undefined
  const engine = createWhisperEngine({ recogniser, ears: loudnessEars, maxAudioSeconds: 600, parallel: 2, release })

  /** Speaks from some moment on, in real time. */
  function speak(atMs: number, audio: Uint8Array = SPEECH): Speaker {
    const told: Told[] = []
    const stream = engine.openStream({ ...LIVE_OPTIONS, encoding: 'linear16' }, (message) => {
      if (message.type === 'Failure') throw new Error(message.error)
      if (message.type !== 'Result') return
      const heardSeconds = (simulation.nowMs - atMs) / 1000
      told.push({ result: message, lagSeconds: heardSeconds - message.startSeconds - message.durationSeconds })
    })
    const chunks = Math.ceil(audio.length / CHUNK_BYTES)
    for (let chunk = 0; chunk < chunks; chunk += 1) {
      simulation.after(atMs - simulation.nowMs + (chunk + 1) * CHUNK_MS, () => {
        void stream.write(audio.subarray(chunk * CHUNK_BYTES, (chunk + 1) * CHUNK_BYTES))
      })
    }
    return { stream, told }
  }

  return { simulation, engine, recogniser, windows, speak }
}

function wordsOf(told: readonly Told[]): number {
  return told.filter(({ result }) => result.isFinal).flatMap(({ result }) => result.words).length
}

function lags(speakers: readonly Speaker[], isFinal: boolean): number[] {
  const told = speakers.flatMap((speaker) => speaker.told)
  return told
    .filter(({ result }) => result.isFinal === isFinal)
    .map(({ lagSeconds }) => lagSeconds)
    .toSorted((one, other) => one - other)
}

function share(sorted: readonly number[], part: number): number {
  return sorted[Math.floor(part * sorted.length)] ?? Number.NaN
}

test('twice as many streams as there is time for: interims are of the newest audio, finals are all there, and soon', async ({
  expect,
}) => {
  const { simulation, speak, recogniser } = await stage(usual)
  const speakers = Array.from({ length: 16 }, (_, index) => speak(index * 130))
  const intervals: number[] = []
  for (let second = 1; second < 60; second += 1)
    simulation.after(second * 1000, () => intervals.push(recogniser.load.interimIntervalSeconds))
  await simulation.runUntil((SPEECH_SECONDS + 5) * 1000)

  // Shed load: interims came less often, but each told what had just been heard, and no stream was left out.
  expect(Math.max(...intervals)).toBeGreaterThan(0.8)
  expect(share(lags(speakers, false), 0.95)).toBeLessThan(0.3)
  const counts = speakers.map(({ told }) => told.filter(({ result }) => !result.isFinal).length)
  expect(Math.min(...counts)).toBeGreaterThan(Math.max(...counts) / 2)
  // 0.1 s of silence is between what a final covers and its endpoint.
  expect(share(lags(speakers, true), 0.95)).toBeLessThan(0.1 + 0.5)
  const all = speakers.map(({ told }) => wordsOf(told))
  expect(all).toEqual(all.map(() => all[0]))
  expect(all[0]).toBeGreaterThanOrEqual(Math.floor((4 * PHRASE_SECONDS) / WORD_SECONDS))

  // The load has gone.
  const late = Array.from({ length: 3 }, (_, index) => speak(40_000 + index * 100))
  await simulation.runUntil(65_000)
  expect(recogniser.load.interimIntervalSeconds).toBeLessThan(0.6)
  expect(late.map(({ told }) => wordsOf(told))).toEqual(late.map(() => all[0]))
})

test('a file goes on while live streams keep all workers busy, and hardly delays them', async ({ expect }) => {
  const slow: CostMs = (seconds, request) => 2 * usual(seconds, request)
  const withFile = await stage(slow, 2)
  const without = await stage(slow, 2)
  const crowd = (speak: (atMs: number) => Speaker): Speaker[] =>
    Array.from({ length: 10 }, (_, index) => speak(index * 190))
  const disturbed = crowd(withFile.speak)
  const undisturbed = crowd(without.speak)
  const file = wavOf(Buffer.concat(Array.from({ length: 5 }, () => SPEECH)))
  let doneMs = 0
  const transcripts = [file, file, file].map(async (bytes) => {
    const transcript = await withFile.engine.transcribe({ bytes }, { language: 'en' })
    doneMs = withFile.simulation.nowMs
    return transcript
  })
  await without.simulation.runUntil(14_000)
  await withFile.simulation.runUntil(14_000)

  expect(withFile.windows.filter(({ priority }) => priority === 'file').length).toBeGreaterThan(3)
  for (const isFinal of [true, false]) {
    const [before, after] = [lags(undisturbed, isFinal), lags(disturbed, isFinal)]
    expect(share(after, 0.95) - share(before, 0.95)).toBeLessThan(0.4)
    expect(after.length).toBeGreaterThan(0.7 * before.length)
  }
  // Alone it goes as fast as it can.
  await withFile.simulation.runUntil(60_000)
  const words = (await Promise.all(transcripts)).map((transcript) => transcript.words.length)
  expect(Math.min(...words)).toBeGreaterThan(5 * 4 * 8)
  expect(doneMs).toBeLessThan(40_000)
})

test('a client that streams a file as fast as it goes leaves room for the others', async ({ expect }) => {
  const { simulation, speak, engine, windows } = await stage(usual)
  const speakers = Array.from({ length: 5 }, (_, index) => speak(index * 90))
  const fast: SpeechResult[] = []
  const greedy = engine.openStream({ ...LIVE_OPTIONS, encoding: 'linear16' }, (message) => {
    if (message.type === 'Result' && message.isFinal) fast.push(message)
  })
  void greedy.write(Buffer.concat(Array.from({ length: 8 }, () => SPEECH))).then(() => greedy.close())
  await simulation.runUntil(SPEECH_SECONDS * 1000)

  expect(fast.length).toBeGreaterThan(2)
  expect(windows.length).toBeGreaterThan(0)
  expect(share(lags(speakers, true), 0.95)).toBeLessThan(0.1 + 0.5)
  expect(lags(speakers, false).length).toBeGreaterThan(5 * 4 * 2)

  await simulation.runUntil(60_000)
  expect(fast.filter(({ text }) => text)).toHaveLength(32)
})

test('nothing is worked on for a client that has left', async ({ expect }) => {
  const { simulation, engine, speak, windows } = await stage(() => 2000)
  const speakers = [speak(0), speak(50), speak(100)]
  const left = new AbortController()
  const upload = engine.transcribe({ bytes: wavOf(SPEECH) }, { language: 'en', signal: left.signal })
  const outcome = expect(upload).rejects.toThrow('left')
  await simulation.runUntil(1500)
  // One of the upload, and one of who speaks, for which it waits.
  expect(windows).toHaveLength(2)
  expect(engine.figures().load).toMatchObject({ waitingWindows: 2, busyWorkers: 1 })

  for (const { stream } of speakers) stream.abort()
  left.abort(new Error('The client has left.'))
  await outcome
  await simulation.runUntil(30_000)

  expect(windows).toHaveLength(2)
  expect(engine.figures().load).toMatchObject({ waitingWindows: 0, busyWorkers: 0 })
})

test('a file is decoded no further than there is room in memory', async ({ expect }) => {
  const { engine, simulation } = await stage(usual)
  const asked: number[] = []
  let letIn = (): void => undefined
  const hold = async (bytes: number): Promise<void> => {
    asked.push(bytes)
    if (asked.length === 2) await new Promise<void>((resolve) => (letIn = resolve))
  }
  const transcript = engine.transcribe({ bytes: wavOf(SPEECH) }, { language: 'en', hold })
  await simulation.runUntil(1000)
  expect(asked).toHaveLength(2)

  letIn()
  simulation.after(1000, () => undefined)
  await simulation.runUntil(60_000)

  expect((await transcript).audioSeconds).toBeCloseTo(SPEECH_SECONDS)
  // As samples of four bytes.
  expect(asked.reduce((sum, bytes) => sum + bytes, 0)).toBeCloseTo(SPEECH_SECONDS * 64_000, -2)
})
