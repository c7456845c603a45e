import { readFile } from 'node:fs/promises'
import * as fc from 'fast-check'
import { test } from 'vitest'
import { readAdtsHeader, SAMPLES_A_FRAME } from '../containers/adts.ts'
import { joinSamples } from '../join-samples.ts'
import { openDecoder } from './open-decoder.ts'

// What happens to a live stream on its way must cost no more than the damaged part of it.

const FOLDER = 'fixtures/audio/formats'

async function decode(encoding: 'aac' | 'mp3', bytes: Uint8Array): Promise<Float32Array> {
  const decoder = await openDecoder({ encoding }, 600)
  try {
    const decoded = [...(await decoder.push(bytes)), ...(await decoder.finish())]
    return joinSamples(decoded.map(({ samples }) => samples))
  } finally {
    decoder.close()
  }
}

/** Where the frames of an ADTS file begin, and where it ends. */
function edgesOf(bytes: Uint8Array): number[] {
  const edges = [0]
  for (let at = 0; at < bytes.length; edges.push(at)) at += readAdtsHeader(bytes, at)?.length ?? bytes.length
  return edges
}

/** The decoder fills quiet bands with noise of its own. */
const NOISE_FLOOR = 0.01

/** How many samples of `other` are not those of `one`. */
function differences(one: Float32Array, other: Float32Array): number {
  return one.reduce(
    (count, sample, index) => (Math.abs(sample - (other[index] ?? 0)) > NOISE_FLOOR ? count + 1 : count),
    0,
  )
}

const NOISE = fc.uint8Array({ minLength: 1, maxLength: 600 })

test('a damaged frame of AAC costs its own time and the halves beside it', async ({ expect }) => {
  const bytes = await readFile(`${FOLDER}/fellow.aac`)
  const edges = edgesOf(bytes)
  const whole = await decode('aac', bytes)

  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 2, max: edges.length - 4 }), NOISE, async (frame, noise) => {
      const [start = 0, end = 0] = edges.slice(frame, frame + 2)
      const damaged = Buffer.from(bytes)
      for (let at = start + 7; at < end; at += 1) damaged[at] = noise[at % noise.length] ?? 0

      const samples = await decode('aac', damaged)

      expect(samples.length).toBe(whole.length)
      expect(differences(whole, samples)).toBeLessThanOrEqual(4 * SAMPLES_A_FRAME)
    }),
    { numRuns: 5 },
  )
})

test('what lies between two frames of AAC is skipped', async ({ expect }) => {
  const bytes = await readFile(`${FOLDER}/fellow.aac`)
  const edges = edgesOf(bytes)
  const whole = await decode('aac', bytes)

  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: edges.length - 20 }), NOISE, async (frame, noise) => {
      const at = edges[frame] ?? 0
      // It begins like a frame, some frames long.
      const lure = Buffer.from([0xff, 0xf1, 0x50, 0x40, 0x3f, 0xff, 0xfc])
      const samples = await decode('aac', Buffer.concat([bytes.subarray(0, at), noise, lure, bytes.subarray(at)]))
      expect(differences(whole, samples)).toBe(0)
    }),
    { numRuns: 5 },
  )
})

test('AAC of a kind that can never be decoded is refused', async ({ expect }) => {
  const bytes = await readFile(`${FOLDER}/fellow.aac`)
  // Every frame begins with a coupling channel, which no decoder of the low complexity profile knows.
  for (const start of edgesOf(bytes).slice(0, -1)) bytes[start + 7] = 0x40
  await expect(decode('aac', bytes)).rejects.toMatchObject({ status: 415 })
})

test('noise between two frames of MP3 is skipped', async ({ expect }) => {
  const bytes = await readFile(`${FOLDER}/fellow.mp3`)
  const whole = await decode('mp3', bytes)
  const at = bytes.length >> 1
  const noise = Buffer.from('HTTP/1.1 200 OK\r\nicy-name: radio\r\n\r\n'.repeat(40))

  const samples = await decode('mp3', Buffer.concat([bytes.subarray(0, at), noise, bytes.subarray(at)]))

  // A frame or two of 24 ms, and what comes after is what it was.
  expect(Math.abs(samples.length - whole.length)).toBeLessThanOrEqual(3 * 1_152)
  const end = 20_000
  expect(differences(whole.slice(-end), samples.slice(-end))).toBe(0)
})
