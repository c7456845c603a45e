import { test } from 'vitest'
import { createHeldAudio } from './held-audio.ts'

const LINEAR16 = { encoding: 'linear16', sample_rate: '8000' }

test('of raw audio what is final is let go, to the frame', ({ expect }) => {
  const held = createHeldAudio(LINEAR16)
  for (let piece = 0; piece < 4; piece += 1) held.add(Buffer.alloc(4_001, piece))
  held.commit(0.5, { answersFinalize: false })

  expect(held.startSeconds).toBe(0.5)
  expect(Buffer.concat((held.items() ?? []) as Buffer[])).toEqual(
    Buffer.concat([1, 2, 3].map((piece) => Buffer.alloc(4_001, piece))).subarray(3_999),
  )
})

test('silence for more than a minute is not kept', ({ expect }) => {
  const held = createHeldAudio(LINEAR16)
  for (let second = 0; second < 100; second += 1) held.add(Buffer.alloc(16_000))
  expect(held.startSeconds).toBeGreaterThan(38)
  expect(held.startSeconds).toBeLessThanOrEqual(40)
})

test.for([
  ['raw audio', LINEAR16, Buffer.alloc(16_000)],
  ['a WAV file that is streamed as raw audio', LINEAR16, Buffer.concat([Buffer.from('RIFF'), Buffer.alloc(16_000)])],
  ['a container', {}, Buffer.from('OggS')],
] as const)('a Finalize of %s is held until it is answered', ([, query, audio], { expect }) => {
  const held = createHeldAudio(query)
  held.add(audio)
  held.add('Finalize')
  held.commit(0.1, { answersFinalize: false })
  expect(held.items()).toContain('Finalize')

  held.commit(0.2, { answersFinalize: true })
  expect(held.items()).not.toContain('Finalize')
})

test('a container that has grown too large cannot be said again', ({ expect }) => {
  const held = createHeldAudio({})
  held.add(Buffer.alloc(8 * 1024 * 1024))
  expect(held.items()).toHaveLength(1)
  held.add(Buffer.alloc(1))
  expect(held.items()).toBeUndefined()
})
