import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'vitest'
import { importModel } from '../models/import-model.ts'
import { tinyVariables, writeTinyWhisper, randomWeights } from '../models/testing.ts'
import { readFacts } from './facts.ts'
import { compare, tryDevice } from './trial.ts'

type Change = (name: string, values: Float32Array) => Float32Array

/** A Whisper of one layer with random weights, some of them changed. */
async function tinyModel(onTestFinished: TestContext['onTestFinished'], change: Change): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'aldea-trial-'))
  onTestFinished(() => rm(root, { recursive: true, force: true }))
  const shapes = new Map(tinyVariables().map(([name, shape]) => [name, shape]))
  const shape = (name: string): readonly number[] => shapes.get(name) ?? []
  await writeTinyWhisper(join(root, 'tiny'), 'english', {
    names: [...shapes.keys()],
    weights: {
      has: (name) => shapes.has(name),
      shape,
      read: async (name) => ({ shape: shape(name), values: change(name, randomWeights(name, shape(name))) }),
    },
  })
  await importModel({ from: join(root, 'tiny'), to: join(root, 'model'), precision: 'fp32' })
  return join(root, 'model')
}

test('a trial runs the model on the device and compares with the CPU', async ({ expect, onTestFinished }) => {
  const folder = await tinyModel(onTestFinished, (_, values) => values)

  const trial = await tryDevice(folder, 'cpu', 1)

  expect(trial).toEqual({ works: true, deviceMs: expect.any(Number), cpuMs: expect.any(Number) })
})

test('a model that loads and does not answer with numbers has failed', async ({ expect, onTestFinished }) => {
  const folder = await tinyModel(onTestFinished, (name, values) =>
    name === 'decoder/layer_norm/gamma' ? values.fill(Number.NaN) : values,
  )

  await expect(tryDevice(folder, 'cpu', 1)).rejects.toThrow('something else than numbers')
})

test('a device that answers otherwise than the CPU is not used', ({ expect }) => {
  const onCpu = { logits: Float32Array.of(3, -1, 2), tookMs: 50 }

  expect(compare({ logits: Float32Array.of(3.01, -1, 2), tookMs: 5 }, onCpu)).toMatchObject({ works: true })
  for (const logits of [Float32Array.of(-1, 2, 3), Float32Array.of(0, 0, 0), new Float32Array(0)]) {
    expect(compare({ logits, tookMs: 5 }, onCpu)).toMatchObject({ works: false })
  }
})

test('libraries of providers are looked for beside onnxruntime', async ({ expect }) => {
  const { libraryFolder, missingLibraries } = readFacts()
  const files = await readdir(libraryFolder)

  expect(files).toContain('onnxruntime_binding.node')
  expect(missingLibraries.filter((name) => files.includes(name))).toEqual([])
})
