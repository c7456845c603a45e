import { readFile } from 'node:fs/promises'
import { request } from 'node:http'
import type { Worker } from 'node:worker_threads'
import { test } from 'vitest'
import type { SpeechMessage, SpeechResult, Transcript } from '../wire/speech.ts'
import { killThread, openStream, silence, startServer, testRuntime, wavOf } from './testing.ts'

// Recognition by the bundled model: judged by the words that must be there, never by the exact text.

const JFK = 'fixtures/audio/jfk.wav'
const QUESTION = 'what you can do for your country'

function plain(text: string): string {
  return text.toLowerCase().replaceAll(/[^a-z ]/g, '')
}

function finalsOf(messages: readonly SpeechMessage[]): SpeechResult[] {
  return messages.filter((message) => message.type === 'Result').filter(({ isFinal }) => isFinal)
}

async function transcribe(url: string, body: Uint8Array): Promise<Transcript> {
  const response = await fetch(`${url}/transcribe`, { method: 'POST', body: new Uint8Array(body) })
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
  return (await response.json()) as Transcript
}

test('recognises speech in a file, its words in order inside the audio', async ({ expect, onTestFinished }) => {
  const { url } = await startServer(onTestFinished, { WORKERS: '1' })

  const { text, words, audioSeconds, confidence } = await transcribe(url, await readFile(JFK))

  expect(plain(text)).toContain(QUESTION)
  expect(words.map(({ word }) => word).join(' ')).toBe(text)
  const times = words.flatMap(({ startSeconds, endSeconds }) => [startSeconds, endSeconds])
  expect(times).toEqual(times.toSorted((a, b) => a - b))
  expect(times.every((second) => second >= 0 && second <= audioSeconds)).toBe(true)
  expect(confidence).toBeGreaterThan(0.5)
  expect(await transcribe(url, wavOf(silence(3)))).toMatchObject({ text: '', words: [], confidence: 0 })
})

test('recognises speech live, phrase by phrase', async ({ expect, onTestFinished }) => {
  const { url } = await startServer(onTestFinished, { WORKERS: '1' })
  const stream = await openStream(onTestFinished, url, 'encoding=linear16&interim_results=false')
  stream.send(await readFile(JFK))
  stream.say('CloseStream')
  await stream.closed

  const finals = finalsOf(stream.messages)
  expect(finals.length).toBeGreaterThan(2)
  expect(plain(finals.map(({ text }) => text).join(' '))).toContain(QUESTION)
  for (const { words, startSeconds, durationSeconds } of finals) {
    for (const word of words) {
      expect(word.startSeconds).toBeGreaterThanOrEqual(startSeconds)
      expect(word.endSeconds).toBeLessThanOrEqual(startSeconds + durationSeconds + 1e-6)
    }
  }
})

test('hears nothing in silence', async ({ expect, onTestFinished }) => {
  const { url } = await startServer(onTestFinished, { WORKERS: '1' })
  const stream = await openStream(onTestFinished, url, 'encoding=linear16&vad_events=true')
  stream.send(silence(5))
  stream.say('CloseStream')
  await stream.closed
  expect(stream.messages.map(({ type }) => type)).toEqual(['Open', 'Summary'])
})

test('servers of one process share the model, and each may go first', async ({ expect, onTestFinished }) => {
  const threads = collectThreads(onTestFinished)
  const runtime = testRuntime()
  const [first, second] = await Promise.all([
    startServer(onTestFinished, { WORKERS: '1' }, runtime),
    startServer(onTestFinished, { WORKERS: '1' }, runtime),
  ])
  expect(threads).toHaveLength(2)

  await first.running.stop()
  expect(plain((await transcribe(second.url, await readFile(JFK))).text)).toContain(QUESTION)
  await second.running.stop()
  // A thread that has ended has no id any more.
  expect(threads.map(({ threadId }) => threadId)).toEqual([-1, -1])
})

test('recognises a file although its threads die at work', async ({ expect, onTestFinished }) => {
  const threads = collectThreads(onTestFinished)
  const { url } = await startServer(onTestFinished, { WORKERS: '1' })
  const jfk = new Uint8Array(await readFile(JFK))

  const unlucky = transcribe(url, jfk)
  await expect.poll(async () => (await fetch(`${url}/stats`)).json()).toMatchObject({ busyWorkers: 1 })
  await Promise.all(threads.splice(0).map(killThread))

  expect(plain((await unlucky).text)).toContain(QUESTION)
  expect(plain((await transcribe(url, jfk)).text)).toContain(QUESTION)
  // One for the model and one for the ears, both started anew.
  expect(threads).toHaveLength(2)
})

test('stops work for a client that has left', async ({ expect, onTestFinished }) => {
  const { url } = await startServer(onTestFinished, { WORKERS: '1' })
  const jfk = await readFile(JFK)
  const speech = jfk.subarray(78)
  const long = wavOf(Buffer.concat(Array.from({ length: 40 }, () => speech)))
  const leaving = request(`${url}/transcribe`, { method: 'POST' })
  leaving.on('error', () => undefined)
  leaving.end(long)
  await expect.poll(async () => (await fetch(`${url}/stats`)).json()).toMatchObject({ files: 1 })
  leaving.destroy()

  expect(plain((await transcribe(url, jfk)).text)).toContain(QUESTION)
  // Had it gone on, seven minutes of audio would count.
  expect(await (await fetch(`${url}/stats`)).json()).toMatchObject({ files: 0, audioSeconds: 11 })
})

test('does not start without a model', async ({ expect, onTestFinished }) => {
  await expect(startServer(onTestFinished, { MODEL_DIR: '/nowhere' })).rejects.toThrow('/nowhere')
})

function collectThreads(onFinished: (cleanup: () => void) => void): Worker[] {
  const threads: Worker[] = []
  const note = (worker: Worker): void => void threads.push(worker)
  process.on('worker', note)
  onFinished(() => {
    process.off('worker', note)
  })
  return threads
}
