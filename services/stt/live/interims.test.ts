import { test } from 'vitest'
import type { SpeechMessage } from '../../wire/speech.ts'
import { SAMPLE_RATE_HZ } from '../audio/format.ts'
import { createInterims, type InterimWindow } from './interims.ts'
import { createOutbox } from './outbox.ts'
import { WORD_SECONDS, hear } from './testing-policy.ts'
import type { Window } from './transcriber.ts'
import { createVoiceTrack } from './voice-track.ts'

test('an interim that was wanted while another was made goes on from what that one fixed', async ({ expect }) => {
  const asked: Window[] = []
  const messages: SpeechMessage[] = []
  const outbox = createOutbox(
    (message) => messages.push(message),
    (error) => expect.unreachable(String(error)),
  )
  const interims = createInterims({
    outbox,
    voice: createVoiceTrack(),
    async transcribe(window) {
      asked.push(window)
      // Nothing before the words that are given is said again.
      const { words, ...heard } = hear(window)
      const from = window.known?.endSeconds ?? 0
      return { ...heard, words: words.filter(({ startSeconds }) => startSeconds >= from - WORD_SECONDS / 2) }
    },
  })

  interims.show(0, () => windowOf(2))
  await outbox.sent()
  interims.show(0, () => windowOf(2.5))
  // Wanted while the second one is being made.
  interims.show(0, () => windowOf(3.5))
  await outbox.sent()
  await outbox.sent()

  expect(asked.map(({ known }) => known?.text)).toEqual([undefined, undefined, 'w0 w1 w2 w3'])
  expect(messages.map((message) => message.type === 'Result' && message.text)).toEqual([
    'w0 w1 w2 w3 w4',
    'w0 w1 w2 w3 w4 w5 w6',
    'w0 w1 w2 w3 w4 w5 w6 w7 w8 w9',
  ])
})

function windowOf(seconds: number): InterimWindow {
  const endSample = seconds * SAMPLE_RATE_HZ
  return { span: { startSample: 0, endSample }, samples: new Float32Array(endSample), isOpen: true }
}
