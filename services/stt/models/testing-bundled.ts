import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { packageRoot } from '../../wire/package-root.ts'
import { openBytes } from './byte-reader.ts'
import { whisperLayout } from './layout.ts'
import { loadManifest, type ModelManifest } from './manifest.ts'
import { readOnnx, type OnnxTensor } from './onnx-reader.ts'
import type { Tensor } from './source.ts'
import type { Written } from './testing-formats.ts'

export const BUNDLED = join(packageRoot, 'fixtures', 'models', 'whisper-tiny.en')

export interface Bundled extends Written {
  readonly manifest: ModelManifest
  readonly texts: readonly string[]
}

/** The model that travels with the package, its 8-bit weights multiplied out. */
export async function bundledModel(): Promise<Bundled> {
  const manifest = await loadManifest(BUNDLED)
  const texts = JSON.parse(await readFile(join(BUNDLED, 'vocabulary.json'), 'utf8')) as string[]
  const tensors = new Map([
    ...(await readOnnx(join(BUNDLED, 'encoder.onnx'))).tensors,
    ...(await readOnnx(join(BUNDLED, 'decoder.onnx'))).tensors,
  ])
  const layout = new Map(whisperLayout(manifest.dimensions))
  const shape = (name: string): readonly number[] => layout.get(name) ?? []
  const known = new Map<string, Tensor>()
  for (const name of layout.keys()) known.set(name, await multipliedOut(tensors, name))
  return {
    manifest,
    texts,
    names: [...layout.keys()],
    weights: {
      has: (name) => layout.has(name),
      shape,
      read: (name) => Promise.resolve(known.get(name) ?? { shape: [0], values: new Float32Array() }),
    },
  }
}

async function multipliedOut(tensors: ReadonlyMap<string, OnnxTensor>, name: string): Promise<Tensor> {
  // Queries of cross-attention have the scale of the attention folded in, a power of two.
  const factor = /\/attention\/linear_0\//.test(name) ? 8 : 1
  const scaleTensor = tensors.get(`${name}_scale`)
  const tensor = tensors.get(name)
  if (tensor === undefined) throw new Error(`${name} is missing.`)
  const bytes = await bytesOf(tensor)
  if (scaleTensor === undefined) {
    return { shape: tensor.shape, values: new Float32Array(bytes).map((value) => value * factor) }
  }
  const scales = new Float32Array(await bytesOf(scaleTensor))
  const columns = new Int8Array(bytes)
  const [width = 0, rows = 0] = tensor.shape
  const values = new Float32Array(columns.length)
  for (let row = 0; row < rows; row += 1) {
    const scale = (scales[row] ?? 0) * factor
    for (let column = 0; column < width; column += 1)
      values[row * width + column] = (columns[column * rows + row] ?? 0) * scale
  }
  return { shape: [rows, width], values }
}

async function bytesOf({ file, offset, bytes = 0 }: OnnxTensor): Promise<ArrayBuffer> {
  const reader = await openBytes(file)
  try {
    return (await reader.readAt(offset, bytes)).buffer
  } finally {
    await reader.close()
  }
}
