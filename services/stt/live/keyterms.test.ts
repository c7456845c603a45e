import { readFile } from 'node:fs/promises'
import { test } from 'vitest'
import { openStream, startServer } from '../testing.ts'

const CLIP = new URL('../../../fixtures/audio/librivox/sense_and_sensibility_01_austen_64kb-0880.wav', import.meta.url)

test('a term the client names is heard, by file and live', async ({ expect, onTestFinished }) => {
  const { url } = await startServer(onTestFinished, { WORKERS: '1' })
  const clip = new Uint8Array(await readFile(CLIP))

  async function byFile(query: string): Promise<string> {
    const answer = await fetch(`${url}/transcribe?${query}`, { method: 'POST', body: clip })
    return JSON.stringify(await answer.json())
  }
  async function live(query: string): Promise<string> {
    const stream = await openStream(onTestFinished, url, query)
    stream.send(clip)
    stream.say('CloseStream')
    await stream.closed
    return JSON.stringify(stream.messages.filter((message) => message.type === 'Result' && message.isFinal))
  }

  // To the bundled model both are about as likely; without a term it hears one of them, whoever is asked.
  for (const term of ['ill-disposed', 'old-sposed']) {
    for (const heard of [await byFile(`keyterm=Willoughby%0A${term}`), await live(`keyterm=Willoughby%0A${term}`)]) {
      expect(heard).toContain(term)
      expect(heard).not.toContain('Willoughby')
    }
  }
})
