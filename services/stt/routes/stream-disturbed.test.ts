import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { SpeechResult } from '../../wire/speech.ts'
import { openStream, silence, startScripted, type TestStream, tone } from '../testing.ts'

const WORDS = ['one', 'two', 'three', 'four', 'five', 'six', 'seven']
/** Of the scripted engine: each 320 ms of sound are a word. */
const WORD_FRAMES = 10
const FRAME_SECONDS = 0.032
const FRAME_BYTES = 1024

/** What a client does. A word belongs to the side of a Finalize on which its middle lies: here always to the later one. */
type Step =
  | { readonly type: 'speak'; readonly words: number; readonly finalizeAfterFrames: number | undefined }
  | { readonly type: 'pause'; readonly frames: number }
  | { readonly type: 'Finalize' | 'KeepAlive' | 'nonsense' | 'empty frame' }

const speak = fc.integer({ min: 1, max: 5 }).chain((words) =>
  fc
    .option(fc.tuple(fc.nat({ max: words - 1 }), fc.integer({ min: 1, max: WORD_FRAMES / 2 - 1 })), {
      nil: undefined,
    })
    .map((cut): Step => ({ type: 'speak', words, finalizeAfterFrames: cut && cut[0] * WORD_FRAMES + cut[1] })),
)
const pause = fc.integer({ min: 1, max: 40 }).map((frames): Step => ({ type: 'pause', frames }))
const text = fc.constantFrom<Step>(
  { type: 'Finalize' },
  { type: 'KeepAlive' },
  { type: 'nonsense' },
  { type: 'empty frame' },
)
const step = fc.oneof({ weight: 4, arbitrary: speak }, { weight: 2, arbitrary: pause }, { weight: 1, arbitrary: text })
const steps = fc.array(step, { minLength: 1, maxLength: 10 })
// Odd numbers cut samples in two.
const pieceBytes = fc.integer({ min: 501, max: 20_000 })
const query = fc.constantFrom(
  '',
  'interim_results=false',
  'endpointing=10&vad_events=true',
  'endpointing=false&utterance_end_ms=1000',
)

function act(stream: TestStream, done: readonly Step[], bytes: number): void {
  function send(audio: Uint8Array): void {
    for (let offset = 0; offset < audio.length; offset += bytes) stream.send(audio.subarray(offset, offset + bytes))
  }

  for (const each of done) {
    if (each.type === 'speak') {
      const sound = tone(framesOf(each) * FRAME_SECONDS)
      const at = (each.finalizeAfterFrames ?? 0) * FRAME_BYTES
      send(sound.subarray(0, at))
      if (at > 0) stream.say('Finalize')
      send(sound.subarray(at))
    } else if (each.type === 'pause') send(silence(framesOf(each) * FRAME_SECONDS))
    else if (each.type === 'nonsense') stream.socket.send('no JSON')
    else if (each.type === 'empty frame') stream.send(Buffer.alloc(0))
    else stream.say(each.type)
  }
}

function framesOf(each: Step): number {
  if (each.type === 'speak') return each.words * WORD_FRAMES
  return each.type === 'pause' ? each.frames : 0
}

function sum(done: readonly Step[], count: (each: Step) => number): number {
  return done.reduce((total, each) => total + count(each), 0)
}

function isAsking(each: Step): boolean {
  return each.type === 'Finalize' || (each.type === 'speak' && each.finalizeAfterFrames !== undefined)
}

test('whatever a client does and however its audio is cut, every word comes once, in order, and every Finalize is answered', async ({
  onTestFinished,
}) => {
  const { url } = await startScripted(onTestFinished, { default: WORDS.join(' ') })
  await fc.assert(
    fc.asyncProperty(query, steps, pieceBytes, async (asked, done, bytes) => {
      const stream = await openStream(onTestFinished, url, `encoding=linear16&${asked}`)
      act(stream, done, bytes)
      stream.say('CloseStream')

      expect(await stream.closed).toEqual({ code: 1000, reason: '' })
      const results = stream.messages.filter((message) => message.type === 'Result')
      const finals = results.filter(({ isFinal }) => isFinal)
      const spoken = sum(done, (each) => (each.type === 'speak' ? each.words : 0))
      const expected = Array.from({ length: spoken }, (_, index) => WORDS[index % WORDS.length])
      expect(finals.flatMap(({ words }) => words.map(({ word }) => word))).toEqual(expected)
      expectInOrder(results)
      expect(finals.filter(({ fromFinalize }) => fromFinalize)).toHaveLength(done.filter(isAsking).length)
      const audioSeconds = sum(done, framesOf) * FRAME_SECONDS
      expect(stream.messages.at(-1)).toMatchObject({ type: 'Summary', audioSeconds: expect.closeTo(audioSeconds, 5) })
    }),
    { numRuns: 25 },
  )
})

/** Nothing is said again about what is final. */
function expectInOrder(results: readonly SpeechResult[]): void {
  let committedSeconds = 0
  for (const { startSeconds, durationSeconds, isFinal } of results) {
    expect(startSeconds).toBeGreaterThanOrEqual(committedSeconds - 1e-6)
    if (isFinal && durationSeconds > 0) committedSeconds = startSeconds + durationSeconds
  }
}

test('a client may leave at any moment and in any way, and nothing of it stays', async ({ onTestFinished }) => {
  const { url } = await startScripted(onTestFinished, { default: WORDS.join(' ') })
  const leaving = fc.constantFrom<(stream: TestStream) => void>(
    ({ socket }) => socket.terminate(),
    ({ socket }) => socket.close(),
    (stream) => {
      stream.say('CloseStream')
      stream.socket.terminate()
    },
    (stream) => {
      stream.say('Finalize')
      stream.socket.terminate()
    },
  )
  await fc.assert(
    fc.asyncProperty(query, steps, pieceBytes, leaving, async (asked, done, bytes, leave) => {
      const stream = await openStream(onTestFinished, url, `encoding=linear16&${asked}`)
      act(stream, done, bytes)
      leave(stream)
      await stream.closed
    }),
    { numRuns: 25 },
  )
  const streams = async (): Promise<unknown> =>
    ((await (await fetch(`${url}/stats`)).json()) as { streams: number }).streams
  await expect.poll(streams).toBe(0)
})
