import { beforeAll, describe, test } from 'vitest'
import type { SpeechResult, SpokenWord, Transcript } from '../../wire/speech.ts'
import { openStream, startServer, wavOf } from '../testing.ts'
import { toPcm } from '../live/testing.ts'
import { loadExpectations, readClip, type Expectations } from '../whisper/testing.ts'

const SAMPLE_RATE_HZ = 16_000
/** Of 0.1 s between two ways to time a word, and of a VAD frame. */
const TOLERANCE_SECONDS = 0.15
/** Single words are heard differently in other company; their neighbours show whether times are right. */
const LEAST_SHARE = 0.9

const CLIP = {
  jfk: 'jfk.wav',
  leisure: 'librivox/sense_and_sensibility_01_austen_64kb-0870.wav',
  selfish: 'librivox/sense_and_sensibility_01_austen_64kb-0890.wav',
  married: 'librivox/sense_and_sensibility_01_austen_64kb-0920.wav',
} as const

type Part = keyof typeof CLIP | number

/** Clips and pauses (in seconds) one after the other; filled up with silence to `seconds`. */
interface Recording {
  readonly name: string
  readonly parts: readonly Part[]
  readonly seconds: number
}

const RECORDINGS: readonly Recording[] = [
  { name: 'exactly 30 s', parts: [0.5, 'jfk', 0.6, 'leisure', 0.6, 'married'], seconds: 30 },
  { name: 'a seam between two pieces', parts: ['leisure', 0.3, 'jfk', 0.3, 'married', 0.3, 'jfk'], seconds: 38 },
  {
    name: 'long pauses inside a piece and between pieces',
    parts: [2, 'selfish', 2.6, 'jfk', 5, 'married'],
    seconds: 36,
  },
]

interface Expected {
  readonly text: string
  readonly endSeconds: number
  readonly clip: { readonly startSeconds: number; readonly endSeconds: number }
}

interface Built {
  readonly pcm: Uint8Array
  readonly expected: readonly Expected[]
}

let oracle: Expectations

beforeAll(async () => {
  oracle = await loadExpectations()
})

async function build({ parts, seconds }: Recording): Promise<Built> {
  const samples = new Float32Array(seconds * SAMPLE_RATE_HZ)
  const expected: Expected[] = []
  let at = 0
  for (const part of parts) {
    if (typeof part === 'number') {
      at += part * SAMPLE_RATE_HZ
      continue
    }
    const clip = await readClip(CLIP[part])
    samples.set(clip, at)
    const startSeconds = at / SAMPLE_RATE_HZ
    at += clip.length
    const span = { startSeconds, endSeconds: at / SAMPLE_RATE_HZ }
    for (const [word, , end] of oracle.clips[CLIP[part]]?.words ?? []) {
      // The oracle parts words at their hyphens.
      const text = word.startsWith('-') ? (expected.pop()?.text ?? '') + plain(word) : plain(word)
      expected.push({ text, endSeconds: startSeconds + end, clip: span })
    }
  }
  return { pcm: toPcm(samples), expected }
}

function plain(word: string): string {
  return word.toLowerCase().replaceAll(/[^a-z]/g, '')
}

function isPlaced({ text, endSeconds, clip }: Expected, words: readonly SpokenWord[]): boolean {
  return words.some(
    (word) =>
      plain(word.word) === text &&
      Math.abs(word.endSeconds - endSeconds) <= TOLERANCE_SECONDS &&
      word.startSeconds >= clip.startSeconds - TOLERANCE_SECONDS &&
      word.endSeconds <= clip.endSeconds + TOLERANCE_SECONDS,
  )
}

describe.for(RECORDINGS)('$name', (recording) => {
  test.for(['file', 'stream'])('every word of a %s is where it was spoken', async (way, { expect, onTestFinished }) => {
    const { pcm, expected } = await build(recording)
    const { url } = await startServer(onTestFinished, { WORKERS: '1' })

    const words = way === 'file' ? await wordsOfFile(url, pcm) : await wordsOfStream(url, pcm, onTestFinished)

    const misplaced = expected.filter((word) => !isPlaced(word, words)).map(({ text }) => text)
    expect(misplaced.length, misplaced.join(' ')).toBeLessThanOrEqual((1 - LEAST_SHARE) * expected.length)
    let lastEnd = 0
    for (const { startSeconds, endSeconds, confidence } of words) {
      expect(startSeconds).toBeGreaterThanOrEqual(lastEnd)
      expect(endSeconds).toBeGreaterThan(startSeconds)
      expect(confidence).toBeGreaterThan(0)
      expect(confidence).toBeLessThanOrEqual(1)
      lastEnd = endSeconds
    }
    expect(lastEnd).toBeLessThanOrEqual(recording.seconds)
  })
})

async function wordsOfFile(url: string, pcm: Uint8Array): Promise<readonly SpokenWord[]> {
  const answer = await fetch(`${url}/transcribe`, { method: 'POST', body: wavOf(pcm) })
  const { words, audioSeconds } = (await answer.json()) as Transcript
  return audioSeconds === pcm.length / 2 / SAMPLE_RATE_HZ ? words : []
}

async function wordsOfStream(
  url: string,
  pcm: Uint8Array,
  onTestFinished: Parameters<typeof openStream>[0],
): Promise<readonly SpokenWord[]> {
  const stream = await openStream(onTestFinished, url, 'encoding=linear16&interim_results=false')
  stream.send(pcm)
  stream.say('CloseStream')
  await stream.closed
  return stream.messages
    .filter((message): message is SpeechResult => message.type === 'Result' && message.isFinal)
    .flatMap(({ words }) => words)
}
