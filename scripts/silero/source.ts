import { openBytes, type ByteReader } from '../../services/stt/models/byte-reader.ts'
import { readOnnx } from '../../services/stt/models/onnx-reader.ts'
import type { TensorData } from '../../services/stt/models/onnx-writer.ts'

/** A weight of Silero's export. */
export interface Weight extends TensorData {
  readonly values: Float32Array
}

/** The weights that Silero uses at 16 kHz, under short names. */
export interface SileroWeights {
  /** [258, 1, 256]: the cosines of 129 frequencies, then their sines, under a window. */
  readonly basis: Weight
  /** Four convolutions: [out, in, 3] and [out]. */
  readonly convolutions: readonly { readonly weight: Weight; readonly bias: Weight }[]
  /** [512, 128] and [512], PyTorch's gates: in, forget, cell, out. */
  readonly lstm: Readonly<Record<'inputWeight' | 'stateWeight' | 'inputBias' | 'stateBias', Weight>>
  /** [1, 128, 1] and [1]. */
  readonly head: { readonly weight: Weight; readonly bias: Weight }
}

const FLOAT32 = 1

/** @throws for a file that is not Silero VAD v6 */
export async function readSilero(file: string): Promise<SileroWeights> {
  const { tensors } = await readOnnx(file)
  const reader = await openBytes(file)
  const read = async (name: string, ...shape: number[]): Promise<Weight> => {
    const tensor = tensors.get(`model.${name}`)
    if (tensor?.type !== FLOAT32 || tensor.shape.join() !== shape.join()) {
      throw new Error(`${file} is not Silero VAD v6: model.${name} is not ${shape.join(' × ')} floats.`)
    }
    return { shape, values: await floats(reader, tensor.offset, tensor.bytes ?? 0) }
  }
  const convolution = async (
    layer: number,
    outputs: number,
    inputs: number,
  ): Promise<Record<'weight' | 'bias', Weight>> => ({
    weight: await read(`encoder.${layer}.reparam_conv.weight`, outputs, inputs, 3),
    bias: await read(`encoder.${layer}.reparam_conv.bias`, outputs),
  })
  try {
    return {
      basis: await read('stft.forward_basis_buffer', 258, 1, 256),
      convolutions: [
        await convolution(0, 128, 129),
        await convolution(1, 64, 128),
        await convolution(2, 64, 64),
        await convolution(3, 128, 64),
      ],
      lstm: {
        inputWeight: await read('decoder.rnn.weight_ih', 512, 128),
        stateWeight: await read('decoder.rnn.weight_hh', 512, 128),
        inputBias: await read('decoder.rnn.bias_ih', 512),
        stateBias: await read('decoder.rnn.bias_hh', 512),
      },
      head: {
        weight: await read('decoder.decoder.2.weight', 1, 128, 1),
        bias: await read('decoder.decoder.2.bias', 1),
      },
    }
  } finally {
    await reader.close()
  }
}

async function floats(reader: ByteReader, offset: number, bytes: number): Promise<Float32Array> {
  const { buffer } = await reader.readAt(offset, bytes)
  return new Float32Array(buffer)
}
