import { test } from 'vitest'
import { openStream, startServer, wavOf } from '../testing.ts'
import { NOISES, toPcm } from './testing.ts'

// `npm run check:walk -- --noise` does the same with a minute of each.
const SECONDS = 8

test('invents no words for sounds that nobody speaks in, by file and live', async ({ expect, onTestFinished }) => {
  const { url } = await startServer(onTestFinished, { WORKERS: '1' })

  for (const [name, make] of Object.entries(NOISES)) {
    const pcm = toPcm(make(SECONDS))
    const answer = await fetch(`${url}/transcribe`, { method: 'POST', body: new Uint8Array(wavOf(pcm)) })
    expect(await answer.json(), name).toMatchObject({ text: '', words: [] })

    const stream = await openStream(onTestFinished, url, 'encoding=linear16')
    stream.send(pcm)
    stream.say('CloseStream')
    await stream.closed
    expect(
      stream.messages.map(({ type }) => type),
      name,
    ).toEqual(['Open', 'Summary'])
  }
})
