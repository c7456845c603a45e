import { whisperLayout } from './layout.ts'
import type { WhisperDimensions } from './manifest.ts'
import type { Tensor } from './source.ts'
import { randomWeights, TINY } from './testing.ts'
import { writeGgml, type Written } from './testing-formats.ts'

export interface SmallModel extends Written {
  readonly dimensions: WhisperDimensions
}

/** A Whisper of one layer and random weights, which is written in no time. */
export function smallModel(vocabulary: number = TINY.vocabulary): SmallModel {
  const { mels, positions, text, state } = TINY
  const dimensions = {
    mels,
    audioPositions: positions,
    textPositions: text,
    state,
    heads: 1,
    encoderLayers: 1,
    decoderLayers: 1,
    vocabulary,
  }
  const tensors = new Map(
    whisperLayout(dimensions).map(([name, shape]) => {
      // Keys have no bias in Whisper.
      const values = randomWeights(name, shape)
      if (name.endsWith('self_attention/linear_0/bias')) values.fill(0, state, 2 * state)
      if (name.endsWith('/attention/linear_1/bias')) values.fill(0, 0, state)
      return [name, { shape, values }]
    }),
  )
  const find = (name: string): Tensor => tensors.get(name) ?? { shape: [0], values: new Float32Array() }
  return {
    dimensions,
    names: [...tensors.keys()],
    weights: { has: (name) => tensors.has(name), shape: (name) => find(name).shape, read: async (name) => find(name) },
  }
}

/** The fewest tokens that a file of whisper.cpp may have. */
const ENGLISH = { vocabulary: 51_864, texts: 50_256 }

export async function writeTinyGgml(path: string): Promise<void> {
  const texts = Array.from({ length: ENGLISH.texts }, (_, id) => `x${id}`)
  await writeGgml(path, smallModel(ENGLISH.vocabulary), { texts, packing: 'q8_0' })
}
