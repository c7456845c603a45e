import { readFile } from 'node:fs/promises'
import { request } from '../../../services/wire/undici.ts'
import { fixturePath } from '../../../fixtures/fixture-path.ts'
import { systemClock } from '../../../services/wire/clock.ts'
import { editDistance, normalisedWords } from '../../wer.ts'
import type { Door } from './connection.ts'

/** What became of one file. */
export interface Sent {
  readonly kind: string
  /** Undefined where it was broken off. */
  readonly requestId: string | undefined
  readonly seconds: number
  readonly faults: readonly string[]
}

const JFK = {
  bytes: await readFile(fixturePath('audio', 'jfk.wav')),
  seconds: 11,
  words: 'And so, my fellow Americans, ask not what your country can do for you, ask what you can do for your country.',
}
const FELLOW = {
  bytes: await readFile(fixturePath('audio', 'formats', 'fellow.flac')),
  seconds: 2.4,
  words: 'And so, my fellow Americans',
}
/** It is short, and begins in the middle. */
const OTHER_WORDS = 2
const GARBAGE_SHARE = 0.2
const LEAVING_SHARE = 0.5
const PATIENCE_MS = 90_000
const GARBAGE_BYTES = 50_000
/** A client leaves while its file is decoded or recognised, or shortly before or after. */
const MOST_STAY_MS = 800

/** Sends a file, or garbage, or a file whose sender leaves. `wasKilled` tells whether a speech server died in the last moments. */
export async function sendFile(door: Door, random: () => number, wasKilled: () => boolean): Promise<Sent> {
  const kind = random()
  const sent =
    kind < GARBAGE_SHARE
      ? await sendGarbage(door, random)
      : kind < LEAVING_SHARE
        ? await leave(door, random)
        : await transcribe(door, random() < 0.5 ? JFK : FELLOW)
  // A file that a server has begun is sent to no other one.
  return wasKilled() ? { ...sent, faults: [], requestId: undefined } : sent
}

/** A short recording with known words: whether the system still works. */
export function probe(door: Door): Promise<Sent> {
  return transcribe(door, JFK)
}

async function transcribe(door: Door, { bytes, seconds, words }: typeof JFK): Promise<Sent> {
  const faults: string[] = []
  const answer = await post(door, bytes, AbortSignal.timeout(PATIENCE_MS)).catch((error: unknown) => {
    faults.push(`a file was not answered: ${String(error)}`)
  })
  if (answer && answer.status !== 200) faults.push(`a file was answered with ${answer.status}: ${answer.text}`)
  if (answer?.status === 200) {
    const heard = transcriptIn(answer.text)
    const others = editDistance(normalisedWords(words), normalisedWords(heard))
    if (others > OTHER_WORDS) faults.push(`a file says "${heard}"`)
  }
  return { kind: 'file', requestId: answer?.requestId, seconds, faults }
}

async function sendGarbage(door: Door, random: () => number): Promise<Sent> {
  const bytes = Buffer.from(Array.from({ length: GARBAGE_BYTES }, () => Math.floor(random() * 256)))
  const answer = await post(door, bytes, AbortSignal.timeout(PATIENCE_MS)).catch(() => undefined)
  const faults = answer?.status === 415 ? [] : [`garbage was answered with ${answer?.status}: ${answer?.text}`]
  return { kind: 'garbage', requestId: undefined, seconds: 0, faults }
}

async function leave(door: Door, random: () => number): Promise<Sent> {
  const left = new AbortController()
  const timer = systemClock.after(random() * MOST_STAY_MS, () => left.abort())
  await post(door, JFK.bytes, left.signal).catch(() => undefined)
  timer.cancel()
  return { kind: 'file left', requestId: undefined, seconds: 0, faults: [] }
}

interface Answer {
  readonly status: number
  readonly text: string
  readonly requestId: string | undefined
}

async function post({ url, key }: Door, body: Buffer, signal: AbortSignal): Promise<Answer> {
  const headers = { authorization: `Token ${key}` }
  const answer = await request(`${url}/v1/listen?compat=deepgram`, { method: 'POST', headers, body, signal })
  const text = await answer.body.text()
  const { metadata } = JSON.parse(text) as { metadata?: { request_id?: string } }
  return { status: answer.statusCode, text, requestId: metadata?.request_id }
}

function transcriptIn(text: string): string {
  const { results } = JSON.parse(text) as {
    results?: { channels?: { alternatives?: { transcript?: string }[] }[] }
  }
  return results?.channels?.[0]?.alternatives?.[0]?.transcript ?? ''
}
