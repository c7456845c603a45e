import { readFile } from 'node:fs/promises'
import { test } from 'vitest'
import type { SpeechMessage, SpeechResult } from '../../wire/speech.ts'
import { openStream, silence, startScripted, tone, wavOf } from '../testing.ts'

const SCRIPT = { default: 'one two three four five six' }

function results(messages: readonly SpeechMessage[]): SpeechResult[] {
  return messages.filter((message) => message.type === 'Result')
}

test('shows words while they are spoken and makes them final after a pause', async ({ expect, onTestFinished }) => {
  const { url } = await startScripted(onTestFinished, SCRIPT)
  const stream = await openStream(onTestFinished, url, 'encoding=linear16&sample_rate=16000')

  // In real time's steps, so that each interim is asked for before the next.
  for (let step = 0; step < 16; step += 1) stream.send(tone(0.1))
  await stream.next('Result', ({ isFinal }) => !isFinal)
  stream.send(silence(0.5))
  const final = await stream.next('Result', ({ isFinal }) => isFinal)

  expect(stream.messages[0]).toEqual({ type: 'Open', model: { name: 'scripted', version: '1' } })
  expect(final).toMatchObject({ text: 'one two three four five', speechFinal: true, fromFinalize: false })
  expect(final.words[1]).toEqual({ word: 'two', startSeconds: 0.32, endSeconds: 0.64, confidence: 0.99 })
  const interims = results(stream.messages).filter(({ isFinal }) => !isFinal)
  for (const { text } of interims) expect(final.text.startsWith(text)).toBe(true)
})

test('says the rest as final, then the summary, then closes with 1000', async ({ expect, onTestFinished }) => {
  const { url } = await startScripted(onTestFinished, SCRIPT)
  const stream = await openStream(onTestFinished, url, 'encoding=linear16&interim_results=false')
  stream.send(tone(1))
  stream.say('CloseStream')

  expect(await stream.closed).toEqual({ code: 1000, reason: '' })
  expect(stream.messages.map(({ type }) => type)).toEqual(['Open', 'Result', 'Summary'])
  expect(stream.messages[1]).toMatchObject({ isFinal: true, speechFinal: false, text: 'one two three' })
  expect(stream.messages[2]).toEqual({ type: 'Summary', audioSeconds: 1 })
})

test('goes on after Finalize and divides the words there', async ({ expect, onTestFinished }) => {
  const { url } = await startScripted(onTestFinished, SCRIPT)
  const stream = await openStream(onTestFinished, url, 'encoding=linear16&interim_results=false')
  stream.send(tone(1))
  stream.say('Finalize')
  stream.send(tone(1))
  stream.say('CloseStream')
  await stream.closed

  expect(results(stream.messages).map(({ text, fromFinalize }) => [text, fromFinalize])).toEqual([
    ['one two three', true],
    ['four five six', false],
  ])
})

// Pipecat waits for a result with from_finalize after each Finalize (aldea-api §12.5), heard or not.
test('answers Finalize with an empty final where nothing was said', async ({ expect, onTestFinished }) => {
  const { url } = await startScripted(onTestFinished, SCRIPT)
  const stream = await openStream(onTestFinished, url)
  stream.say('Finalize')
  const final = await stream.next('Result')
  expect(final).toMatchObject({ text: '', words: [], isFinal: true, fromFinalize: true, durationSeconds: 0 })
})

test('tells of speech and of the end of an utterance only when asked', async ({ expect, onTestFinished }) => {
  const { url } = await startScripted(onTestFinished, SCRIPT)
  const query = 'encoding=linear16&interim_results=false'
  const asked = await openStream(onTestFinished, url, `${query}&vad_events=true&utterance_end_ms=1000`)
  const unasked = await openStream(onTestFinished, url, query)
  for (const stream of [asked, unasked]) {
    stream.send(silence(1))
    stream.send(tone(1))
    stream.send(silence(1.5))
    stream.say('CloseStream')
    await stream.closed
  }

  expect(unasked.messages.map(({ type }) => type)).toEqual(['Open', 'Result', 'Summary'])
  expect(asked.messages.map(({ type }) => type)).toEqual(['Open', 'SpeechStarted', 'Result', 'UtteranceEnd', 'Summary'])
  // Frames are 32 ms: the tone starts in the frame at 0.992 s.
  expect(asked.messages[1]).toEqual({ type: 'SpeechStarted', atSeconds: 0.992 })
  expect(asked.messages[3]).toEqual({
    type: 'UtteranceEnd',
    lastWordEndSeconds: results(asked.messages)[0]?.words.at(-1)?.endSeconds,
  })
})

test('makes finals only on demand with endpointing=false', async ({ expect, onTestFinished }) => {
  const { url } = await startScripted(onTestFinished, SCRIPT)
  const stream = await openStream(onTestFinished, url, 'encoding=linear16&interim_results=false&endpointing=false')
  stream.send(tone(1))
  stream.send(silence(2))
  stream.send(tone(1))
  stream.say('CloseStream')
  await stream.closed
  expect(results(stream.messages).map(({ text }) => text)).toEqual(['one two three four five six'])
})

test('divides speech without pauses, so that no window outgrows the model', async ({ expect, onTestFinished }) => {
  const { url } = await startScripted(onTestFinished, { default: 'word' })
  const stream = await openStream(onTestFinished, url, 'encoding=linear16&interim_results=false')
  for (let second = 0; second < 60; second += 1) stream.send(tone(1))
  stream.say('CloseStream')
  await stream.closed

  const finals = results(stream.messages)
  expect(Math.max(...finals.map(({ durationSeconds }) => durationSeconds))).toBeLessThan(28)
  // 60 s at 320 ms a word, none lost and none twice at a cut.
  expect(finals.flatMap(({ words }) => words)).toHaveLength(187)
})

test('streams a whole WAV file faster than real time, header included', async ({ expect, onTestFinished }) => {
  const { url } = await startScripted(onTestFinished, SCRIPT)
  const jfk = await readFile('fixtures/audio/jfk.wav')
  const stream = await openStream(onTestFinished, url, 'encoding=linear16&sample_rate=44100')
  stream.send(jfk)
  stream.say('CloseStream')
  await stream.closed
  expect(stream.messages.at(-1)).toEqual({ type: 'Summary', audioSeconds: 11 })
  expect(results(stream.messages).filter(({ isFinal }) => isFinal).length).toBeGreaterThan(2)
})

test('hears more than it holds at once, and keeps count', async ({ expect, onTestFinished }) => {
  const { url } = await startScripted(onTestFinished, SCRIPT)
  const stream = await openStream(onTestFinished, url, 'encoding=linear16')
  for (let part = 0; part < 20; part += 1) {
    stream.send(tone(9))
    stream.send(silence(1))
  }
  stream.say('CloseStream')
  await stream.closed
  expect(stream.messages.at(-1)).toEqual({ type: 'Summary', audioSeconds: 200 })
  // Per part 282 voiced frames; words of ten frames.
  const words = results(stream.messages)
    .filter(({ isFinal }) => isFinal)
    .flatMap((result) => result.words)
  expect(words).toHaveLength(564)
})

test('refuses what it cannot decode by name, and closes with 1008', async ({ expect, onTestFinished }) => {
  const { url } = await startScripted(onTestFinished)
  const stream = await openStream(onTestFinished, url)
  stream.send(Buffer.concat([Buffer.from([0x1a, 0x45, 0xdf, 0xa3]), Buffer.alloc(60)]))
  expect(await stream.next('Failure')).toEqual({
    type: 'Failure',
    status: 415,
    error: 'The WebM stream is broken: it is not EBML.',
  })
  expect(await stream.closed).toEqual({ code: 1008, reason: 'DATA-0000' })
})

test.for([
  ['sample_rate=7999', 422],
  ['sample_rate=abc', 422],
  ['channels=0', 422],
  ['endpointing=soon', 422],
  ['interim_results=maybe', 422],
  ['language=zh', 422],
  ['encoding=speex', 415],
] as const)('refuses ?%s with %i before the upgrade', async ([query, status], { expect, onTestFinished }) => {
  const { url } = await startScripted(onTestFinished)
  await expect(openStream(onTestFinished, url, query)).rejects.toThrow(`Unexpected server response: ${status}`)
})

test('ends a stream on which nothing comes', async ({ expect, onTestFinished }) => {
  const { url } = await startScripted(onTestFinished, undefined, { IDLE_TIMEOUT_MS: '50' })
  const stream = await openStream(onTestFinished, url)
  expect(await stream.closed).toEqual({ code: 1011, reason: 'NET-0001' })
})

test('ignores text it does not know', async ({ expect, onTestFinished }) => {
  const { url } = await startScripted(onTestFinished)
  const stream = await openStream(onTestFinished, url)
  stream.socket.send('not json')
  stream.say('Configure')
  stream.say('KeepAlive')
  stream.say('CloseStream')
  expect((await stream.closed).code).toBe(1000)
  expect(stream.messages.map(({ type }) => type)).toEqual(['Open', 'Summary'])
})

test('forgets a client that has left, and stops with one still there', async ({ expect, onTestFinished }) => {
  const { url, running } = await startScripted(onTestFinished)
  const gone = await openStream(onTestFinished, url)
  gone.send(tone(1))
  gone.socket.terminate()
  await expect.poll(async () => (await fetch(`${url}/stats`)).json()).toMatchObject({ streams: 0 })

  const there = await openStream(onTestFinished, url)
  await running.stop()
  expect((await there.closed).code).toBe(1001)
})

test('drops its clients at once when killed', async ({ expect, onTestFinished }) => {
  const { url, running } = await startScripted(onTestFinished)
  const stream = await openStream(onTestFinished, url)
  running.kill()
  expect((await stream.closed).code).toBe(1006)
  await expect(fetch(`${url}/health`)).rejects.toThrow()
})

test('tells a WAV stream from raw audio by its first bytes', async ({ expect, onTestFinished }) => {
  const { url } = await startScripted(onTestFinished)
  const stream = await openStream(onTestFinished, url)
  for (const byte of wavOf(tone(0.01))) stream.send(Uint8Array.of(byte))
  stream.say('CloseStream')
  await stream.closed
  expect(stream.messages.at(-1)).toEqual({ type: 'Summary', audioSeconds: 0.01 })
})
