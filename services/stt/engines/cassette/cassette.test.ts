import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openStream, silence, startScripted, startServer, type TestStream, tone, wavOf } from '../../testing.ts'

type OnFinished = (cleanUp: () => Promise<void> | void) => void

async function tapeFile(onFinished: OnFinished): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'aldea-cassette-'))
  onFinished(() => rm(folder, { recursive: true, force: true }))
  return join(folder, 'tapes', 'one.jsonl')
}

const AUDIO = Buffer.concat([tone(0.64), silence(0.48), tone(0.64), silence(0.48), tone(0.32)])
const QUERY = 'encoding=linear16&endpointing=300&vad_events=true'

async function transcribe(url: string, audio: Uint8Array): Promise<unknown> {
  const answer = await fetch(`${url}/transcribe`, { method: 'POST', body: new Uint8Array(audio) })
  return [answer.status, await answer.json()]
}

async function sendAll(stream: TestStream, pieces: readonly Uint8Array[]): Promise<void> {
  for (const piece of pieces) stream.send(piece)
  stream.say('CloseStream')
  await stream.closed
}

function piecesOf(audio: Buffer, bytes: number): Buffer[] {
  return Array.from({ length: Math.ceil(audio.length / bytes) }, (_, index) =>
    audio.subarray(index * bytes, (index + 1) * bytes),
  )
}

/** Records a file, a refused one and a stream, and says what was answered. */
async function record(onFinished: OnFinished, file: string): Promise<{ answers: unknown[]; messages: unknown[] }> {
  const { url } = await startScripted(onFinished, { default: 'Hello, world.' }, { RECORD_TO: file })
  const answers = [await transcribe(url, wavOf(tone(1))), await transcribe(url, Buffer.from('no audio at all'))]
  const stream = await openStream(onFinished, url, QUERY)
  await sendAll(stream, piecesOf(AUDIO, 3_200))
  return { answers, messages: stream.messages.slice(1) }
}

test('says again what was recorded, bit for bit, however the audio is cut', async ({ onTestFinished }) => {
  const file = await tapeFile(onTestFinished)
  const { answers, messages } = await record(onTestFinished, file)

  const { url } = await startServer(onTestFinished, { ENGINE: 'cassette', CASSETTE_FILE: file })

  expect([await transcribe(url, wavOf(tone(1))), await transcribe(url, Buffer.from('no audio at all'))]).toEqual(
    answers,
  )
  expect(answers).toMatchObject([
    [200, {}],
    [415, {}],
  ])
  for (const bytes of [640, 3_200, AUDIO.length]) {
    const stream = await openStream(onTestFinished, url, QUERY)
    await sendAll(stream, piecesOf(AUDIO, bytes))
    expect(stream.messages.slice(1)).toEqual(messages)
  }
  expect(messages.length).toBeGreaterThan(5)
})

test('waits as long as it took where the recorded pace is asked for', async ({ onTestFinished }) => {
  const file = await tapeFile(onTestFinished)
  await record(onTestFinished, file)
  const takes = (await readFile(file, 'utf8')).replaceAll(/"tookMs":\d+/g, '"tookMs":80')
  await writeFile(file, takes)
  const { url } = await startServer(onTestFinished, {
    ENGINE: 'cassette',
    CASSETTE_FILE: file,
    CASSETTE_PACE: 'recorded',
  })
  const before = performance.now()
  await transcribe(url, wavOf(tone(1)))
  expect(performance.now() - before).toBeGreaterThanOrEqual(75)
})

test('refuses what is not on it', async ({ onTestFinished }) => {
  const file = await tapeFile(onTestFinished)
  await record(onTestFinished, file)
  const { url } = await startServer(onTestFinished, { ENGINE: 'cassette', CASSETTE_FILE: file })

  expect(await transcribe(url, wavOf(tone(2)))).toMatchObject([422, { error: expect.stringContaining('no recording') }])
  const otherEnd = Buffer.concat([AUDIO.subarray(0, 40_000), silence(1)])
  for (const [query, audio] of [
    [QUERY, silence(1)],
    [`${QUERY}&language=en`, AUDIO],
    [QUERY, otherEnd],
  ] as const) {
    const stream = await openStream(onTestFinished, url, query)
    await sendAll(stream, [audio])
    expect(stream.messages.at(-1)).toMatchObject({ type: 'Failure', status: 422 })
  }
})

test('does not start without a cassette, or with one that is none', async ({ onTestFinished }) => {
  const file = await tapeFile(onTestFinished)
  const start = (variables: Record<string, string>): Promise<unknown> =>
    startServer(onTestFinished, { ENGINE: 'cassette', ...variables })
  await expect(start({})).rejects.toThrow('CASSETTE_FILE is missing')
  await expect(start({ CASSETTE_FILE: file })).rejects.toThrow(`The cassette ${file} cannot be read.`)
  await expect(start({ CASSETTE_FILE: 'package.json' })).rejects.toThrow('Line 1 of the cassette package.json')
  await expect(start({ CASSETTE_FILE: file, CASSETTE_PACE: 'slow' })).rejects.toThrow('must be instant or recorded')
})

test('does not start where no cassette can be written', async ({ onTestFinished }) => {
  const inTheWay = await tapeFile(onTestFinished)
  await startScripted(onTestFinished, { default: 'Hello, world.' }, { RECORD_TO: inTheWay })
  const file = join(inTheWay, 'below.jsonl')

  const start = startScripted(onTestFinished, { default: 'Hello, world.' }, { RECORD_TO: file })

  await expect(start).rejects.toThrow(`The cassette ${file} cannot be written.`)
})
