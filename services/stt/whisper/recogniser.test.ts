import type { Worker } from 'node:worker_threads'
import { test } from 'vitest'
import { systemClock } from '../../wire/clock.ts'
import { silentLog } from '../../wire/log.ts'
import type { SpokenWord } from '../../wire/speech.ts'
import { readFacts } from '../devices/facts.ts'
import { NOISES } from '../live/testing.ts'
import { startPool } from './pool/pool.ts'
import type { Recogniser, Recognition, WindowOptions } from './port.ts'
import { startRecogniser } from './recogniser.ts'
import { spawnWorker } from './pool/spawn-worker.ts'
import { loadWhisper } from './whisper-model.ts'
import { loadExpectations, MODEL_DIR, readClip, type ExpectedClip } from './testing.ts'

const JFK = 'And so my fellow Americans ask not what your country can do for you ask what you can do for your country'

const options = { modelDir: MODEL_DIR, workers: 1, threadsPerWorker: 1, clock: systemClock, log: silentLog }
const final: WindowOptions = { priority: 'final', language: 'en', padding: 'full', timestamps: true }

/** One model for the tests that only ask it. */
const it = test.extend<{
  readonly recogniser: Recogniser
  /** What it says about each clip. */
  readonly recognitions: ReadonlyMap<string, Recognition>
}>({
  recogniser: [
    // oxlint-disable-next-line no-empty-pattern -- vitest reads the names of the fixtures it needs from the pattern.
    async ({}, use) => {
      const recogniser = await startRecogniser(options)
      await use(recogniser)
      await recogniser.stop()
    },
    { scope: 'file' },
  ],
  recognitions: [
    async ({ recogniser }, use) => {
      const recognitions = new Map<string, Recognition>()
      for (const file of Object.keys((await loadExpectations()).clips)) {
        recognitions.set(file, await recogniser.recognise(await readClip(file), final))
      }
      await use(recognitions)
    },
    { scope: 'file' },
  ],
})

it('says which model it is and what it understands', ({ expect, recogniser }) => {
  expect(recogniser.model).toEqual({ name: 'tiny.en', version: expect.stringMatching(/^int8-[0-9a-f]{8}$/) })
  expect(recogniser.languages).toEqual(['en'])
})

it('writes every clip as the oracle does, within one word', async ({ expect, recognitions }) => {
  const { clips } = await loadExpectations()
  for (const [file, clip] of Object.entries(clips)) {
    const text = recognitions.get(file)?.text ?? ''
    expect(missingWords(text, clip).length, `${file}: ${text}`).toBeLessThanOrEqual(1)
  }
})

it('places nine words of ten within 0.1 s of the oracle', async ({ expect, recognitions }) => {
  const { clips } = await loadExpectations()
  let placed = 0
  let compared = 0
  for (const [file, { words }] of Object.entries(clips)) {
    const actual = recognitions.get(file)?.words ?? []
    const wholeWords = words.filter(([word]) => actual.some((candidate) => plain(candidate.word) === plain(word)))
    compared += wholeWords.length
    placed += wholeWords.filter(([word, start, end]) => actual.some((other) => isAt(other, word, start, end))).length
  }

  expect(compared).toBeGreaterThan(80)
  expect(placed / compared).toBeGreaterThanOrEqual(0.9)
})

it.for([
  { name: 'coarse padding', padding: 'coarse', timestamps: true },
  { name: 'coarse padding without timestamps', padding: 'coarse', timestamps: false },
  { name: 'a full window without timestamps', padding: 'full', timestamps: false },
] as const)('understands speech with $name', async ({ padding, timestamps }, { expect, recogniser }) => {
  const samples = await readClip('jfk.wav')

  const recognition = await recogniser.recognise(samples, { ...final, padding, timestamps })

  expect(plain(recognition.text)).toBe(plain(JFK))
  expect(recognition.words.map(({ word }) => word).join(' ')).toBe(recognition.text)
  expect(recognition.confidence).toBeGreaterThan(0.8)
  expect(recognition.averageLogProbability).toBeGreaterThan(-0.4)
  expect(recognition.noSpeechProbability).toBeLessThan(0.1)
  expect(recognition.compressionRatio).toBeGreaterThan(1)
  for (const [index, { startSeconds, endSeconds, confidence }] of recognition.words.entries()) {
    expect(startSeconds).toBeGreaterThanOrEqual(recognition.words[index - 1]?.endSeconds ?? 0)
    expect(endSeconds).toBeGreaterThanOrEqual(startSeconds)
    expect(endSeconds).toBeLessThanOrEqual(samples.length / 16_000)
    expect(confidence).toBeGreaterThan(0)
    expect(confidence).toBeLessThanOrEqual(1)
  }
})

it('writes words in the tokens its encoder finds for them', async ({ expect, recognitions }) => {
  const { manifest, tokenizer } = await loadWhisper(MODEL_DIR, 1)
  for (const { tokens = [] } of recognitions.values()) {
    const text = tokens.filter((token) => token < manifest.tokens.endOfText)
    expect(tokenizer.encode(tokenizer.decode(text))).toEqual(text)
  }
})

it.for([0, 3, 100])(
  'hears the same with a draft that lacks its last %d words',
  async (missing, { expect, recogniser }) => {
    // Its every token is several times as likely as any other, so that no processor's last digits decide.
    const samples = await readClip('librivox/sense_and_sensibility_01_austen_64kb-0870.wav')
    const window = { ...final, priority: 'interim', timestamps: false } as const
    const whole = await recogniser.recognise(samples, window)

    const drafted = await recogniser.recognise(samples, {
      ...window,
      draft: whole.words
        .map(({ word }) => word)
        .slice(0, Math.max(0, whole.words.length - missing))
        .join(' '),
    })

    expect(drafted.text).toBe(whole.text)
    expect(drafted.words.map(({ startSeconds }) => startSeconds)).toEqual(
      whole.words.map(({ startSeconds }) => expect.closeTo(startSeconds, 1)),
    )
  },
)

it('keeps words of a draft where others are hardly likelier', async ({ expect, recogniser }) => {
  // Up to "Americans": "am I" and "my" sound the same, and which of them is likelier changes from moment to moment.
  const samples = (await readClip('jfk.wav')).subarray(0, 2.5 * 16_000)
  const interim = { ...final, priority: 'interim', padding: 'coarse', timestamps: false, isOpen: true } as const

  for (const said of ['And so am I fellow Americans', 'And so my fellow Americans']) {
    const draft = said.split(' ').slice(0, 3).join(' ')
    const { text } = await recogniser.recognise(samples, { ...interim, draft })
    expect(plain(text)).toBe(plain(said))
  }
})

it('takes what is known as given, and times what follows it', async ({ expect, recogniser }) => {
  // The pause after "Americans".
  const known = { text: 'And so my fellow Martians,', endSeconds: 2.8 }

  const { text, words } = await recogniser.recognise(await readClip('jfk.wav'), { ...final, known })

  expect(plain(text)).toBe(plain(JFK.slice(JFK.indexOf('ask'))))
  expect(words[0]?.startSeconds).toBeGreaterThanOrEqual(2.8)
  expect(words[0]?.endSeconds).toBeLessThan(4.2)
})

it('leaves out what an open window may hold only half of', async ({ expect, recogniser }) => {
  // In the middle of "country".
  const samples = (await readClip('jfk.wav')).subarray(0, 6.2 * 16_000)
  const window = { ...final, priority: 'interim', timestamps: false } as const
  const closed = await recogniser.recognise(samples, window)
  const open = await recogniser.recognise(samples, { ...window, isOpen: true })

  expect(open.words.length).toBeGreaterThan(3)
  expect(open.words.length).toBeLessThan(closed.words.length)
  expect(closed.text.startsWith(open.text)).toBe(true)
})

it('doubts silence', async ({ expect, recogniser }) => {
  const { noSpeechProbability, averageLogProbability } = await recogniser.recognise(new Float32Array(32_000), final)

  expect(noSpeechProbability).toBeGreaterThan(0.6)
  expect(averageLogProbability).toBeLessThan(-0.5)
})

it.for(['white noise', 'pink noise'])(
  'writes nothing for %s that it is made to hear',
  async (name, { expect, recogniser }) => {
    const noise = NOISES[name]?.(8) ?? new Float32Array(0)

    const { text, words, noSpeechProbability } = await recogniser.recognise(noise, final)

    expect(noSpeechProbability).toBeGreaterThan(0.6)
    expect({ text, words }).toEqual({ text: '', words: [] })
  },
)

it('answers a window without samples with nothing', async ({ expect, recogniser }) => {
  const recognition = await recogniser.recognise(new Float32Array(0), final)

  expect(recognition).toMatchObject({ text: '', words: [], confidence: 0 })
})

it('refuses a window of more than 30 s', async ({ expect, recogniser }) => {
  await expect(recogniser.recognise(new Float32Array(30 * 16_000 + 1), final)).rejects.toThrow(RangeError)
})

it('stops a request that is aborted while it runs', async ({ expect, recogniser }) => {
  const controller = new AbortController()
  const samples = await readClip('jfk.wav')
  const running = recogniser.recognise(samples, { ...final, signal: controller.signal })
  controller.abort(new Error('the client has gone'))

  await expect(running).rejects.toThrow('the client has gone')
  const { text } = await recogniser.recognise(samples, { ...final, padding: 'coarse' })
  expect(plain(text)).toBe(plain(JFK))
})

test('what a worker was to do when it died is done by the next one', async ({ expect, onTestFinished }) => {
  const workers: Worker[] = []
  const pool = await startPool({
    ...options,
    spawn({ cancelled, busy }) {
      const worker = spawnWorker({ modelDir: MODEL_DIR, threads: 1, cancelled, busy })
      workers.push(worker)
      return worker
    },
  })
  onTestFinished(() => pool.stop())
  const samples = await readClip('jfk.wav')

  // Before it computes: a thread that is ended inside the inference library ends the process.
  const death = workers[0]?.terminate()
  const [recognition] = await Promise.all([pool.recognise(samples, { ...final, padding: 'coarse' }), death])

  expect(plain(recognition.text)).toBe(plain(JFK))
  expect(workers).toHaveLength(2)
})

test('a worker that the GPU does not take hears on the CPU, and says why', async ({ expect, onTestFinished, skip }) => {
  const { missingLibraries, driverNodes } = readFacts()
  if (missingLibraries.length === 0 && driverNodes.length > 0) skip('This machine has CUDA.')
  const moves: string[] = []
  const pool = await startPool({
    ...options,
    spawn: ({ cancelled, busy }) =>
      spawnWorker({ modelDir: MODEL_DIR, threads: 1, device: 'cuda', mayFallBack: true, cancelled, busy }),
    onMoved: (message) => void moves.push(message),
  })
  onTestFinished(() => pool.stop())

  const { text } = await pool.recognise(await readClip('jfk.wav'), { ...final, padding: 'coarse' })

  expect(plain(text)).toBe(plain(JFK))
  expect(moves).toEqual([expect.stringMatching(/cuda/i)])
})

test('a folder without a model is named', async ({ expect }) => {
  await expect(startRecogniser({ ...options, modelDir: '/nowhere' })).rejects.toThrow('/nowhere holds no model')
})

function plain(text: string): string {
  return text.toLowerCase().replaceAll(/[^a-z ]/g, '')
}

function missingWords(text: string, clip: ExpectedClip): string[] {
  const found = plain(text).split(' ')
  return plain(clip.text)
    .split(' ')
    .filter((word) => !found.includes(word))
}

function isAt(candidate: SpokenWord, word: string, startSeconds: number, endSeconds: number): boolean {
  const isNear = (one: number, other: number): boolean => Math.abs(one - other) <= 0.1 + 1e-6
  return (
    plain(candidate.word) === plain(word) &&
    isNear(candidate.startSeconds, startSeconds) &&
    isNear(candidate.endSeconds, endSeconds)
  )
}
