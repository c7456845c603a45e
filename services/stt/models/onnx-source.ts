import { join } from 'node:path'
import { exists, huggingFaceSource } from './hugging-face.ts'
import { readOnnx } from './onnx-reader.ts'
import { onnxWeights } from './onnx-weights.ts'
import type { WhisperSource } from './source.ts'

/** Best first; a decoder for a first step has all weights, one for later steps lacks those of cross-attention. */
const ENCODERS = ['encoder_model.onnx', 'encoder_model_fp16.onnx']
const DECODERS = [
  'decoder_model.onnx',
  'decoder_model_merged.onnx',
  'decoder_model_fp16.onnx',
  'decoder_model_merged_fp16.onnx',
]

/** Both halves of an exported Whisper, absolute. */
export interface OnnxHalves {
  readonly encoder: string
  readonly decoder: string
}

/** The graphs of a folder as optimum and transformers.js lay it out; undefined when it has none. */
export async function onnxIn(folder: string): Promise<OnnxHalves | undefined> {
  for (const place of [folder, join(folder, 'onnx')]) {
    const [encoder, decoder] = [await firstOf(place, ENCODERS), await firstOf(place, DECODERS)]
    if (encoder !== undefined && decoder !== undefined) return { encoder, decoder }
  }
  return undefined
}

/** A Hugging Face folder with its weights as constants of ONNX graphs. */
export async function openOnnxSource(folder: string, { encoder, decoder }: OnnxHalves): Promise<WhisperSource> {
  const graphs = { encoder: await readOnnx(encoder), decoder: await readOnnx(decoder) }
  const halves = {
    encoder: onnxWeights(encoder, graphs.encoder, 'encoder'),
    decoder: onnxWeights(decoder, graphs.decoder, 'decoder'),
  }
  const tensors = [...graphs.encoder.tensors.values(), ...graphs.decoder.tensors.values()]
  const halfOf = (name: string): typeof halves.encoder =>
    name.startsWith('model.encoder.') ? halves.encoder : halves.decoder
  return huggingFaceSource(folder, {
    format: 'onnx',
    file: folder,
    files: [...new Set([encoder, decoder, ...tensors.map(({ file }) => file)])],
    weights: {
      has: (name) => halfOf(name).has(name),
      shape: (name) => halfOf(name).shape(name),
      read: (name) => halfOf(name).read(name),
    },
    close: () => Promise.resolve(),
  })
}

async function firstOf(folder: string, names: readonly string[]): Promise<string | undefined> {
  for (const name of names) {
    const path = join(folder, name)
    if (await exists(path)) return path
  }
  return undefined
}
