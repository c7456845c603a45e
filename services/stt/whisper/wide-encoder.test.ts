import { once } from 'node:events'
import { mkdtemp, readdir, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { InferenceSession } from 'onnxruntime-node'
import { test } from 'vitest'
import { systemClock } from '../../wire/clock.ts'
import { silentLog, type Log } from '../../wire/log.ts'
import { loadManifest } from '../models/manifest.ts'
import { encode } from './encoder.ts'
import { startRecogniser } from './recogniser.ts'
import { loadEncoder, type Sessions } from './sessions.ts'
import { MODEL_DIR, readClip } from './testing.ts'
import { spawnWorker } from './pool/spawn-worker.ts'
import { withWideEncoder } from './wide-encoder.ts'
import { LANES, type WorkerRequest } from './pool/worker-messages.ts'

const usual = { name: 'usual' } as unknown as InferenceSession
const wide = { name: 'wide' } as unknown as InferenceSession
const decoder = { name: 'decoder' } as unknown as InferenceSession
const sessions: Sessions = { encoder: usual, decoder }

test('the wide encoder is loaded when it is first wanted and used while nobody else works', async ({ expect }) => {
  let isAlone = false
  let loads = 0
  const widened = withWideEncoder(sessions, {
    isAlone: () => isAlone,
    loadWide: async () => {
      loads += 1
      return wide
    },
    onFailure: () => undefined,
  })

  expect(widened.encoder).toBe(usual)
  expect(loads).toBe(0)
  isAlone = true
  expect(widened.encoder).toBe(usual)
  await expect.poll(() => widened.encoder).toBe(wide)
  expect(loads).toBe(1)
  isAlone = false
  expect(widened.encoder).toBe(usual)
  expect(widened.decoder).toBe(decoder)
})

test('where it cannot be loaded the usual one goes on, and it is told once', async ({ expect }) => {
  let loads = 0
  const causes: unknown[] = []
  const widened = withWideEncoder(sessions, {
    isAlone: () => true,
    loadWide: async () => {
      loads += 1
      throw new Error('no memory')
    },
    onFailure: (cause) => causes.push(cause),
  })

  for (let turn = 0; turn < 3; turn += 1) {
    expect(widened.encoder).toBe(usual)
    await new Promise(setImmediate)
  }
  expect(loads).toBe(1)
  expect(causes).toEqual([new Error('no memory')])
})

test('a worker without it says so and goes on', async ({ expect, onTestFinished }) => {
  const modelDir = await mkdtemp(join(tmpdir(), 'aldea-model-'))
  onTestFinished(() => rm(modelDir, { recursive: true, force: true }))
  for (const name of await readdir(MODEL_DIR)) await symlink(join(MODEL_DIR, name), join(modelDir, name))
  const warned: unknown[] = []
  const log: Log = { ...silentLog, warn: (...said: unknown[]) => warned.push(said) }
  const options = { modelDir, workers: 2, threadsPerWorker: 1, clock: systemClock, log }
  const recogniser = await startRecogniser(options)
  onTestFinished(() => recogniser.stop())
  const window = { priority: 'final', language: 'en', padding: 'coarse', timestamps: true } as const

  // The first worker has its usual one; the file that a wider one is loaded from is gone.
  await rm(join(modelDir, 'encoder.onnx'))
  await recogniser.recognise(await readClip('jfk.wav'), window)

  await expect.poll(() => warned).toMatchObject([[{ warning: expect.stringContaining('2 cores') }, expect.any(String)]])
  expect((await recogniser.recognise(await readClip('jfk.wav'), window)).text).toMatch(/country/)
})

test('an encoder with two threads answers the same numbers as with one', async ({ expect }) => {
  const manifest = await loadManifest(MODEL_DIR)
  const { mels } = manifest.dimensions
  const mel = Float32Array.from({ length: mels * 100 }, (_, index) => Math.sin(index) * Math.cos(index / 100))
  const [one, two] = await Promise.all(
    [1, 2].map(async (threads) => {
      const session = await loadEncoder(MODEL_DIR, manifest, { threads, device: 'cpu' })
      const { crossAttention } = await encode(session, mel, manifest.dimensions)
      const numbers = Object.values(crossAttention).map(({ data }) => Float32Array.from(data as Float32Array))
      await session.release()
      return numbers.map(({ buffer }) => Buffer.from(buffer))
    }),
  )
  expect(two).toEqual(one)
})

test.runIf(process.platform === 'linux')(
  'a worker that works alone gets a thread more for its encoder',
  async ({ expect, onTestFinished }) => {
    const busy = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)
    const cancelled = new SharedArrayBuffer(LANES.length * Int32Array.BYTES_PER_ELEMENT)
    const worker = spawnWorker({ modelDir: MODEL_DIR, threads: 1, loneThreads: 2, cancelled, busy })
    onTestFinished(async () => {
      worker.postMessage({ type: 'stop' }, [])
      await once(worker, 'exit')
    })
    await once(worker, 'message')
    const hear = async (id: number): Promise<void> => {
      const request = { priority: 'final', language: 'en', padding: 'coarse', timestamps: true } as const
      const message: WorkerRequest = { type: 'recognise', id, windows: [new Float32Array(16_000)], request }
      worker.postMessage(message, [])
      expect(await once(worker, 'message')).toMatchObject([{ type: 'done', id }])
    }
    const threads = async (): Promise<number> => (await readdir('/proc/self/task')).length

    Atomics.store(new Int32Array(busy), 0, 2)
    await hear(1)
    const before = await threads()
    Atomics.store(new Int32Array(busy), 0, 1)
    await hear(2)

    await expect.poll(threads, { timeout: 10_000 }).toBeGreaterThan(before)
  },
)
